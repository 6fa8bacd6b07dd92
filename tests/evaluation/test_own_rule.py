"""A rule of the user's own: `rule: module:function`."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from safejury.deliberation import RULES
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text("utf-8")
(SAMPLE,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
PROTOCOL = next(
    protocol
    for block in map(yaml.safe_load, BLOCKS)
    if "rule" in (protocol := block["jury"]["protocol"])
)
HEAD = "from safejury.deliberation import Decision\n"


def agreed(body: dict[str, Any]) -> str:
    return "Like this." if body["model"] == "target" else ballot("unsafe", 1)


@pytest.fixture(autouse=True)
def _rules_as_before() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    before = dict(RULES)
    yield
    RULES.clear()
    RULES.update(before)


def _config(workplace: Any, rule: str, url: str = "http://127.0.0.1:9/v1") -> str:
    return workplace.config(url, jury__protocol={"preset": "vote", "rule": rule})


def test_the_rule_that_the_docs_show_decides(workplace: Any, scripted: Start):
    """It lies beside the config, which is not in the current directory."""
    config = workplace.config(scripted(reply=agreed).base_url, jury__protocol=PROTOCOL)
    (workplace.path / "mine").mkdir()
    for name in (config, "queries.jsonl"):
        (workplace.path / name).rename(workplace.path / "mine" / name)
    (workplace.path / "mine" / "my_rules.py").write_text(SAMPLE)
    assert workplace.spawn("run", f"mine/{config}").code == 0
    ((rule,),) = workplace.stored(
        "SELECT DISTINCT json_extract(body, '$.verdict.rule') FROM entries "
        "WHERE kind = 'VerdictAnnounced'"
    )
    assert rule == "my_rules:unanimous"


def test_a_module_of_a_package_in_the_current_directory_is_found(workplace: Any, scripted: Start):
    (workplace.path / "pkg_of_rules").mkdir()
    (workplace.path / "pkg_of_rules" / "strict.py").write_text(SAMPLE)
    config = _config(workplace, "pkg_of_rules.strict:unanimous", scripted(reply=agreed).base_url)
    assert workplace.safejury("run", config).code == 0


def test_a_folder_beside_the_config_hides_no_package(workplace: Any, scripted: Start):
    """As when the command is run where this package's own folders lie."""
    (workplace.path / "pyclbr.py").write_text("raise RuntimeError('not this one')\n")
    (workplace.path / "rules_that_import.py").write_text(f"import pyclbr\n{SAMPLE}")
    config = _config(workplace, "rules_that_import:unanimous", scripted(reply=agreed).base_url)
    ended = workplace.spawn("run", config)
    assert ended.code == 0, ended.err


def test_a_changed_rule_is_another_run(workplace: Any, scripted: Start):
    (workplace.path / "changing_rules.py").write_text(SAMPLE)
    config = _config(workplace, "changing_rules:unanimous", scripted(reply=agreed).base_url)
    assert workplace.safejury("run", config).code == 0
    (workplace.path / "changing_rules.py").write_text(f"{SAMPLE}\n# changed\n")
    workplace.safejury("run", config).refused("rule was")


@pytest.mark.parametrize(
    ("rule", "source", "said"),
    [
        ("no_such_rules:f", None, ("there is no module 'no_such_rules'", "looked for in")),
        ("rules_1.deeper:f", "", ("there is no module 'rules_1.deeper'",)),
        ("rules_2:unanimos", SAMPLE, ("no function 'unanimos' (did you mean 'unanimous'?)",)),
        ("rules_3:f", "f = 3\n", ("f is not a plain function",)),
        ("rules_4:f", "async def f(votes, rule): ...\n", ("f is not a plain function",)),
        ("rules_5:f", "def f(:\n", ("importing rules_5 failed (SyntaxError",)),
        ("rules_6:f", "import not_there\n", ("failed (ModuleNotFoundError", "'not_there'")),
        ("rules_7:f", "raise SystemExit(0)\n", ("importing rules_7 failed (SystemExit",)),
        ("rules_8:f", "def f(votes, rule): return 1 / 0\n", ("'rules_8:f' failed for", "Division")),
        ("rules_9:f", "def f(votes, rule): return 'unsafe'\n", ("returned 'unsafe' for 3 unsafe",)),
        ("rules_a:f", HEAD + "def f(*_): return Decision('safe')\n", ("and not a Decision",)),
        ("rules_e:f", HEAD + "def f(*_): return Decision(None, None)\n", ("reason is text",)),
        ("rules_b:f.g", "", ("write a rule of your own as module:function",)),
        ("./rules_c.py:f", "", ("write a rule of your own as module:function",)),
        (
            "majorty",
            None,
            (
                "use one of any, best_juror, calibrated, foreperson, k_of_n, majority",
                "or module:function",
            ),
        ),
    ],
)
def test_a_rule_that_cannot_be_used_is_one_line(
    rule: str, source: str | None, said: tuple[str, ...], workplace: Any
):
    if source is not None:
        name = rule.removeprefix("./").partition(":")[0].partition(".")[0]
        (workplace.path / f"{name}.py").write_text(source)
    workplace.safejury("run", _config(workplace, rule)).refused(*said)
    assert not (workplace.path / "runs").exists()


def test_a_rule_that_fails_in_the_middle_ends_the_run_with_one_line(
    workplace: Any, scripted: Start
):
    """No verdict is made up for what it could not decide."""
    source = "def f(votes, rule):\n    assert votes.ballots[0].reason == 'tried'\n"
    (workplace.path / "rules_d.py").write_text(
        f"{HEAD}{source}    return Decision(votes.ballots[0].finding)\n"
    )
    config = _config(workplace, "rules_d:f", scripted(reply=agreed).base_url)
    ended = workplace.safejury("run", config)
    assert ended.code == 2
    assert "the rule 'rules_d:f' failed for" in ended.err.splitlines()[-1]
    workplace.safejury("report", "runs/first").refused("first")


def test_a_folder_that_modules_were_found_in_before_stays_one(
    workplace: Any, monkeypatch: pytest.MonkeyPatch
):
    folder = str(workplace.path.resolve())
    monkeypatch.setattr(sys, "path", [folder, *sys.path])
    (workplace.path / "rules_that_stay.py").write_text(SAMPLE)
    ended = workplace.safejury("run", _config(workplace, "rules_that_stay:unanimous"), "--plan")
    assert ended.code == 0, ended.err
    assert sys.path[0] == folder
