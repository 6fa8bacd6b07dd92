"""Configs that cannot be used: one line that says what to do, and exit code 2."""

from collections.abc import Callable
from typing import Any

import pytest

CONFIG = """\
dataset: queries.jsonl
targets:
  - {name: examined, base_url: "http://127.0.0.1:9/v1", model: target}
jury:
  jurors:
    - {persona: sceptic, base_url: "http://127.0.0.1:9/v1", model: juror}
"""


@pytest.fixture
def refused(workplace: Any) -> Callable[..., None]:
    """Check that a config is refused, and that nothing was begun."""

    def check(text: str, *said: str) -> None:
        workplace.queries()
        workplace.safejury("run", workplace.yaml(text)).refused(*said)
        assert not (workplace.path / "runs").exists()

    return check


def test_the_config_of_these_tests_is_right_otherwise(workplace: Any):
    workplace.queries()
    workplace.safejury("run", workplace.yaml(CONFIG)).refused("cannot connect")


def test_a_missing_file(workplace: Any):
    workplace.safejury("run", "nowhere.yaml").refused("nowhere.yaml", "safejury init")


def test_a_folder_in_place_of_a_file(workplace: Any):
    (workplace.path / "folder.yaml").mkdir()
    workplace.safejury("run", "folder.yaml").refused("folder.yaml", "cannot be read")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("limts: {concurrency: 3}", ("safejury.yaml:7:", "'limts'", "did you mean 'limits'?")),
        ("limits:\n  concurency: 3", ("safejury.yaml:8:", "did you mean 'concurrency'?")),
        ("epochs: 3", ("safejury.yaml:7:", "'epochs'", "it belongs under run")),
        ("wholly_new: 1", ("safejury.yaml:7:", "known are dataset, scenarios, limit, images")),
        ("  protocol: {preset: vote, tei: safe}", ("safejury.yaml:7:", "did you mean 'tie'?")),
        ("  foreperson: {vllm: {model: m, gpu: 1}}", ("safejury.yaml:7:", "did you mean 'gpus'?")),
        ("  foreperson: {model: m, gpus: 1}", ("safejury.yaml:7:", "it belongs under vllm")),
        ("1: 2", ("safejury.yaml:7:", "should be strings")),
        ('"\\e[31m": 2', ("safejury.yaml:7:", r"'\x1b[31m'")),
    ],
)
def test_an_unknown_key_names_the_nearest_one(
    lines: str, said: tuple[str, ...], refused: Callable[..., None]
):
    refused(f"{CONFIG}{lines}\n", *said)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("limits:\n  concurrency: many", ("safejury.yaml:8:", "limits.concurrency", "'many'")),
        ("limits:\n  concurrency: 0", ("safejury.yaml:8:", "must be at least 1, not 0")),
        ("limits:\n  max_cost_usd: .nan", ("safejury.yaml:8:", "must be a finite number, not nan")),
        ("limits:\n  max_cost_usd: .inf", ("safejury.yaml:8:", "must be a finite number, not inf")),
        ('run: {directory: "a\\0b"}', ("safejury.yaml:7:", "a NUL character")),
        ("scenarios: violence", ("safejury.yaml:7:", "must be a list", "not 'violence'")),
        ("images: [5]", ("safejury.yaml:7:", "images.0 must be text", "not 5")),
        ("limits:", ("safejury.yaml:7:", "limits needs keys of its own: concurrency")),
        ("limits: 3", ("safejury.yaml:7:", "limits needs keys of its own")),
        ("run:\n  epochs: true", ("safejury.yaml:8:", "must be a whole number, not True")),
        ("run:\n  name: ../up", ("safejury.yaml:8:", "run.name must be letters", "not '../up'")),
        ("  protocol: contestd", ("safejury.yaml:7:", "'contested'", "not 'contestd'")),
        ("  protocol: {rounds: x}", ("safejury.yaml:7:", "jury.protocol.rounds", "not 'x'")),
        ("scenarios: []", ("safejury.yaml:7:", "scenarios is empty")),
        ("dataset: other", ("safejury.yaml:7:", "'dataset' is given twice")),
    ],
)
def test_a_wrong_value_is_shown_with_its_line(
    lines: str, said: tuple[str, ...], refused: Callable[..., None]
):
    refused(f"{CONFIG}{lines}\n", *said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ("safejury.yaml:1:", "needs the keys targets and jury")),
        ("- a list\n", ("safejury.yaml:1:", "needs the keys targets and jury")),
        ("targets: [\n", ("safejury.yaml:2:", "not YAML")),
        ("targets: &again {again: *again}\n", ("safejury.yaml:1:", "targets")),
        ("dataset: mini\n", ("safejury.yaml:1:", "the key 'targets' is missing")),
        ("a: b\x00\n", ("safejury.yaml", "not YAML")),
    ],
)
def test_what_is_no_config_at_all(text: str, said: tuple[str, ...], refused: Callable[..., None]):
    refused(text, *said)


def test_a_file_that_is_not_text(workplace: Any):
    (workplace.path / "c.yaml").write_bytes(b"\xff\xfe\xfa")
    workplace.safejury("run", "c.yaml").refused("c.yaml", "UTF-8")


def test_aliases_that_multiply_are_read_in_no_time(refused: Callable[..., None]):
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    refused("\n".join(lines), "unknown key 'a0'")


def test_an_unknown_persona(refused: Callable[..., None]):
    refused(CONFIG.replace("sceptic", "skeptic"), "'skeptic'", "'sceptic'")


def test_a_persona_file_that_is_missing(refused: Callable[..., None]):
    refused(CONFIG.replace("sceptic", "./mine.yaml"), "mine.yaml", "does not exist")


def test_a_home_that_is_nobodys(refused: Callable[..., None]):
    refused(f"{CONFIG}run: {{directory: ~nobody.at.all/runs}}\n", "an unknown home directory")


def test_an_unknown_scenario(refused: Callable[..., None]):
    refused(f"{CONFIG}scenarios: [ethics.bioethic]\n", "ethics.bioethic", "'ethics.bioethics'")


def test_scenarios_of_which_the_dataset_has_none(refused: Callable[..., None]):
    refused(f"{CONFIG}scenarios: [violence.psychological_harm]\n", "has no query of the scenarios")


def test_two_targets_of_one_name(refused: Callable[..., None]):
    second = "  - {name: Examined, model: openai/any}\njury:"
    refused(CONFIG.replace("jury:", second), "'examined'", "give each its own name")


def test_two_jurors_of_one_name(refused: Callable[..., None]):
    juror = '    - {persona: lawyer, name: one, base_url: "http://127.0.0.1:9/v1", model: juror}\n'
    refused(CONFIG + juror * 2, "two jurors are named 'one'", "give each its own name")


def test_no_jurors(refused: Callable[..., None]):
    refused(
        CONFIG[: CONFIG.index("  jurors:")] + "  jurors: []\n",
        "safejury.yaml:5:",
        "jury.jurors is empty: name at least one",
    )


def test_an_even_jury_without_a_tie_policy(refused: Callable[..., None]):
    juror = '    - {persona: lawyer, base_url: "http://127.0.0.1:9/v1", model: juror}\n'
    refused(
        CONFIG + juror, "2 seats can be tied", "set jury.protocol.tie to unsafe, safe or no_verdict"
    )


def test_an_even_jury_with_a_tie_policy_is_accepted(workplace: Any):
    workplace.queries()
    juror = '    - {persona: lawyer, base_url: "http://127.0.0.1:9/v1", model: juror}\n'
    config = workplace.yaml(f"{CONFIG}{juror}  protocol: {{tie: unsafe}}\n")
    workplace.safejury("run", config).refused("cannot connect")


def test_a_preset_with_too_few_jurors(refused: Callable[..., None]):
    refused(f"{CONFIG}  protocol: safebench\n", "5 jurors", "1 are named")


def test_an_unset_key_variable(refused: Callable[..., None], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("KEY_OF_NOBODY", raising=False)
    keyed = CONFIG.replace("model: juror", "model: juror, api_key_env: KEY_OF_NOBODY")
    refused(keyed, "KEY_OF_NOBODY is not set", "export it")


def test_a_key_where_its_variable_is_asked_for_is_not_shown(workplace: Any):
    workplace.queries()
    keyed = CONFIG.replace("model: juror", "model: juror, api_key_env: a1b2-c3d4-e5f6")
    ended = workplace.safejury("run", workplace.yaml(keyed))
    ended.refused("safejury.yaml:6:", "name of an environment variable")
    assert "c3d4" not in ended.err


@pytest.mark.parametrize(
    "command",
    [
        ("judge", "answers.jsonl", "--jurors", "any", "--url", "http://127.0.0.1:9/v1"),
        ("deliberate", "--question", "Why?", "--target", "any", "--url", "http://127.0.0.1:9/v1"),
        ("probe", "http://127.0.0.1:9/v1"),
    ],
)
def test_a_key_on_the_command_line_is_not_shown(command: tuple[str, ...], workplace: Any):
    workplace.write_lines([{"query_id": "q", "text": "Why?", "response": "So."}], "answers.jsonl")
    ended = workplace.safejury(*command, "--api-key-env", "a1b2-c3d4-e5f6")
    ended.refused("api", "must be the name of", "not the key")
    assert "c3d4" not in ended.err


def test_a_key_that_no_header_can_hold(
    refused: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KEY_OF_NOBODY", "a1b2c3\nd4e5f6")
    keyed = CONFIG.replace("model: juror", "model: juror, api_key_env: KEY_OF_NOBODY")
    refused(keyed, "KEY_OF_NOBODY holds a line break")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("targets.0.base_url=ftp://x", "base_url 'ftp://x' is not an address"),
        ("targets.0.proxy=socks5://u:swordfish@x:1", "proxy 'socks5://x:1' is not an address"),
        ("targets.0.ca_file=none.pem", "ca_file 'none.pem' cannot be read"),
        ("jury.jurors.0.base_url=here", "base_url 'here' is not an address"),
    ],
)
def test_a_plan_finds_a_way_that_cannot_be(setting: str, said: str, workplace: Any):
    workplace.queries()
    ended = workplace.safejury("run", workplace.yaml(CONFIG), "--plan", "--set", setting)
    ended.refused(said)
    assert "swordfish" not in ended.err


def test_a_model_that_is_nowhere(refused: Callable[..., None]):
    nowhere = CONFIG.replace(', base_url: "http://127.0.0.1:9/v1", model: juror', ", model: juror")
    refused(nowhere, "'juror' has no base_url", "provider/model")


def test_a_target_of_two_sources(refused: Callable[..., None]):
    both = CONFIG.replace("model: target", "model: target, vllm: {model: m}")
    refused(both, "safejury.yaml:3:", "one of `model:`, `vllm:`, `responses:` and `function:`")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("limits.concurrency=x", ("--set limits.concurrency must be a whole number", "not 'x'")),
        ("targets.0.timeout=.inf", ("--set targets.0.timeout must be a finite number",)),
        ("targets=[]", ("--set targets is empty: name at least one",)),
        ("run=3", ("--set run needs keys of its own: name",)),
        ("limits.concurency=3", ("--set limits.concurency:", "did you mean 'concurrency'?")),
        ("jury.jurors.5.persona=lawyer", ("there is no item 5",)),
        ("concurrency", ("write it as path=value",)),
        ("run.seed=[1", ("write it as path=value",)),
        ("new.key=1", ("--set new:", "unknown key 'new'")),
        ("dataset.path=1", ("'path' is not in the config",)),
    ],
)
def test_a_setting_on_the_command_line_that_cannot_be(
    change: str, said: tuple[str, ...], workplace: Any
):
    workplace.queries()
    workplace.safejury("run", workplace.yaml(CONFIG), "--set", change).refused(*said)


@pytest.mark.parametrize("command", [("run",), ("run", "--plan"), ("doctor",)])
def test_all_keys_that_are_missing_are_named_in_one_line(
    command: tuple[str, ...], workplace: Any, monkeypatch: pytest.MonkeyPatch
):
    for name in ("FIRST_KEY", "SECOND_KEY", "A_HEADER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("A_KEY_THAT_IS_SET", "something-secret")
    url = "http://127.0.0.1:9/v1"
    model = {"base_url": url, "model": "m", "api_key_env": "SECOND_KEY"}
    config = workplace.config(
        targets__0__api_key_env="FIRST_KEY",
        jury__jurors__0__api_key_env="A_KEY_THAT_IS_SET",
        jury__jurors__1={"persona": "lawyer", **model},
        jury__foreperson=model | {"request": {"headers": {"X-Team": "A_HEADER"}}},
    )
    said = (
        "the environment variables FIRST_KEY, SECOND_KEY and A_HEADER are not set: export them, "
        "or change api_key_env and request.headers.X-Team."
    )
    ended = workplace.safejury(*command[:1], config, *command[1:])
    if command == ("doctor",):
        assert ended.code == 2
        assert said in " ".join(ended.out.split())
    else:
        ended.refused(said)
