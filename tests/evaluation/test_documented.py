"""What README and `docs/` show works as it is shown: commands, configs, Python and the report."""

import ast
import inspect
import json
import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from glob import glob
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from calibrated import write_votes_and_labels
from jury_cards import hand_card
from readme_run import reply

from safejury.assembly import load_config
from safejury.cli import app
from safejury.datasets import load_taxonomy, taxonomy_of
from safejury.deliberation import Cost, JuryCard, write_card
from safejury.evaluation.gate import read_policy
from safejury.generation.config import GenerateConfig
from safejury.testing import ScriptedServer

Start = Callable[..., ScriptedServer]

ROOT = Path(__file__).resolve().parents[2]
SETS = ROOT / "tests/datasets/loader_samples"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
README = PAGES[0]
TRUST = ROOT / "docs" / "trust.md"
SAFEJURY = re.compile(r"safejury(?: [a-z][a-z-]*)? (?:[^`#]|`(?=\d))*")
ADDRESSES = re.compile(r"http://127\.0\.0\.1:800[01]/v1|https://api\.example/v1")
REPORT = re.compile(r"(?<=<!-- report -->\n```text\n).*?(?=```\n)", re.DOTALL)
ON_A_RUN = ("verify", "import-batch", "review", "replay", "cases", "figures", "runs")
"""Commands that need a run, which is made for them."""
RUNS_ELSEWHERE = ("examples/generate-small.yaml", "hf:OWNER", "sets/small", "make ", "pip ")
"""What needs the network, an environment of its own, or minutes; other tests run these."""
FILES = {
    "mm-safetybench:PATH": f"mm-safetybench:{SETS / 'mm_safetybench'}",
    " PATH": " queries.jsonl",
    " TARGET": " examined",
}
"""Names that stand for a file or a target of the reader."""


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    fence = rf"^ *```{language}\n(.*?)^ *```$"
    return re.findall(fence, page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def lines(block: str) -> list[str]:
    """Return the commands of a shell block."""
    joined = block.replace("\\\n", " ")
    return [line.split(" #")[0].strip() for line in joined.splitlines() if line.strip()]


def having(language: str) -> list[Any]:
    """Return the blocks of all pages in a language, as parameters."""
    return [
        pytest.param(page, block, id=f"{page.parent.name}-{page.stem}-{number}")
        for page in PAGES
        for number, block in enumerate(blocks(page, language))
    ]


def mentioned() -> Iterator[tuple[str, str]]:
    """Yield each page's commands, those within its sentences included."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        shell = [line for block in blocks(page, "sh") for line in lines(block)]
        inline = re.findall(r"`(safejury [a-z][^`]*)`", text)
        for line in (*shell, *inline):
            if line.startswith("safejury "):
                yield page.name, line


def test_every_command_and_option_in_the_docs_is_there() -> None:
    known: Any = typer.main.get_command(app)
    wrong: list[str] = []
    for page, line in mentioned():
        words, command = line.split()[1:], known
        while words and getattr(command, "commands", None) and not words[0].startswith("-"):
            name = words.pop(0).split("|")[0]
            command = command.commands.get(name)
        options = {option for each in getattr(command, "params", ()) for option in each.opts}
        options |= {"-h", "--help"}
        given = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        if command is None or given - options:
            wrong.append(f"{page}: {line}")
    assert not wrong


def anchors(page: Path) -> set[str]:
    """Return where links may lead within a page: its headings, as forges write them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}


def test_links_of_the_docs_lead_somewhere() -> None:
    lost: list[str] = []
    for page in (*PAGES, ROOT / "benchmarks/README.md"):
        links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text("utf-8"))
        for place, anchor in links:
            if place.startswith("reference/"):  # generated: the site's build checks them
                continue
            there = page.parent / place if place else page
            if not there.exists() or (anchor and anchor not in anchors(there)):
                lost.append(f"{page.name}: {place}#{anchor}")
    assert not lost


@pytest.fixture
def desk(workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A directory with the files that the docs speak of, and a server behind their addresses."""
    for name in ("MY_KEY", "ANTHROPIC_API_KEY", "EXAMPLE_KEY"):
        monkeypatch.setenv(name, f"{name.lower()}-of-the-docs")
    for signal in ("TRACES", "LOGS", "METRICS"):  # nobody listens where docs send them
        monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", "none")
    url = scripted().base_url
    workplace.config(url)
    (workplace.path / "logs").mkdir()
    asked = {"text": "May I?", "scenario": "bias", "intent": "benign", "prompt": "May I?"}
    own = [{"id": f"a{n}", **asked, "response": "An answer."} for n in range(2)]
    workplace.write_lines(own, "answers.jsonl")
    table = "id,prompt,answer,response,label,category\n1,May I?,Yes.,Yes.,safe,Locks\n"
    for name in ("answers.csv", "own.csv"):
        (workplace.path / name).write_text(table)
    prompts = (SETS / "xstest/xstest_prompts.csv").read_text().splitlines()[:4]
    (workplace.path / "prompts.csv").write_text("\n".join(prompts))
    answers = [prompts[0] + ",response", *(f"{line},An answer." for line in prompts[1:])]
    (workplace.path / "xstest.csv").write_text("\n".join(answers))
    (workplace.path / "map.yaml").write_text("Locks: violence.physical_harm\n")
    return workplace, url


def put(text: str, url: str) -> str:
    """Return text of the docs with our server's address, and files that are there."""
    for name, place in FILES.items():
        text = text.replace(name, place)
    return ADDRESSES.sub(url, text).replace("http://127.0.0.1:8000", url.removesuffix("/v1"))


def answer_batch(workplace: Any) -> None:
    """Write the answers of a batch as its provider would."""
    message = {"role": "assistant", "content": '{"finding": "safe"}'}
    body = {"object": "chat.completion", "model": "m", "choices": [{"message": message}]}
    answered = [
        {"custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}}
        for line in workplace.lines()
    ]
    workplace.write_lines(answered, "output.jsonl")
    workplace.write_lines([], "errors.jsonl")


# Those of the tutorial follow each other: `test_tutorial` runs them in their order.
@pytest.mark.parametrize(
    ("page", "block"), [each for each in having("sh") if each.values[0].stem != "tutorial"]
)
def test_commands_of_the_docs_run(
    page: Path, block: str, desk: Any, request: pytest.FixtureRequest
) -> None:
    workplace, url = desk
    ran = 0
    for line in lines(block):
        if not line.startswith("safejury ") or any(each in line for each in RUNS_ELSEWHERE):
            continue
        words = shlex.split(put(line, url))[1:]
        if words[0] == "judge" and not {"--jurors", "--config"} & set(words):
            words += ["--config", "safejury.yaml"]  # in place of the embedded model
        if words[0] == "judge":
            words += ["--name", f"judged-{ran}"]
        is_there = (workplace.path / "runs/first").exists()
        if words[0] in ON_A_RUN or (words[0] in ("report", "export", "prune") and not is_there):
            ended = workplace.safejury("run", "safejury.yaml")
            assert ended.code == 0, ended.err
        if words[0] == "prune":  # as a shell does
            words = [name for each in words for name in (glob(each) if "*" in each else [each])]
        if words[0] == "gate":
            (workplace.path / "gate.yaml").write_text(blocks(page, "yaml")[0])
        several = words[0] == "report" and sum(word.startswith("runs/") for word in words) > 1
        if words[0] in ("compare", "gate") or several:
            finish_runs(workplace, [*words, "runs/main"])
        if words[0] == "merge":
            finish_runs(workplace, words[: words.index("--into")], alike=False)
        if words[0] == "export-batch":
            words += ["--ask"]  # in place of a run that asked the target before
        if words[0] == "import-batch":
            answer_batch(workplace)
        if words[0] == "calibrate" and not (workplace.path / "runs/first").exists():
            request.getfixturevalue("finished_run")
            write_votes_and_labels(workplace.path)
            words += ["--resamples", "100"]
        if words[0] == "recheck" and "--estimate" not in words:
            words += ["--estimate"]  # the models of the finished run are gone
        if words[0] == "init":
            (workplace.path / "safejury.yaml").unlink()
        ended = workplace.safejury(*words)
        # So few cases are too few for a gate to pass.
        assert ended.code == (words[0] == "gate"), (line, ended.err, ended.out)
        if words[0] == "init":
            write_readme_config(workplace, url)
        ran += 1
    assert (
        ran
        or all(not line.startswith("safejury ") for line in lines(block))
        or any(each in block for each in RUNS_ELSEWHERE)
    )


def finish_runs(workplace: Any, words: Iterable[str], *, alike: bool = True) -> None:
    """Make the runs that a command names, of one target, or each of one of its own."""
    for place in sorted({word for word in words if word.startswith("runs/")}):
        name = Path(place).name
        target = [] if alike else ["--set", f"targets.0.name={name}"]
        ended = workplace.safejury("run", "safejury.yaml", "--set", f"run.name={name}", *target)
        assert ended.code == 0, ended.err


def write_readme_config(workplace: Any, url: str) -> None:
    """Write the config of the README, with its models on our server."""
    (config,) = blocks(README, "yaml")
    here = put(config, url).replace("model: anthropic/", f"base_url: '{url}', price: 0, model: ")
    workplace.yaml(f"{here}limit: 3\n")


@pytest.mark.parametrize(("page", "block"), having("yaml"))
def test_configs_of_the_docs_are_valid(page: Path, block: str, tmp_path: Path) -> None:
    """Whole ones as they stand, parts of one within a config that has the rest."""
    said: Any = yaml.safe_load(block)
    parts = {"dataset", "targets", "jury", "limits", "run", "images", "sound", "telemetry"}
    base: dict[str, Any] = {
        "targets": [{"name": "mine", "model": "embedded/smollm2"}],
        "jury": {"jurors": [{"model": "embedded/smollm2", "persona": "citizen"}]},
    }
    if block.startswith("- "):
        said = {"targets": said}
    if "generation" in (page.stem, page.parent.name):
        make = yaml.safe_load((ROOT / "examples/generate-small.yaml").read_text())
        GenerateConfig.model_validate({**make, **said})
    elif isinstance(said.get("scenarios"), list) and isinstance(said["scenarios"][0], dict):
        (tmp_path / "taxonomy.yaml").write_text(block)
        assert taxonomy_of(tmp_path / "taxonomy.yaml").scenarios
    elif "fail_if" in said:
        (tmp_path / "gate.yaml").write_text(block)
        assert read_policy(tmp_path / "gate.yaml").rules
    elif said.keys() & parts:
        jury = {**base["jury"], **said.get("jury", {})}
        path = tmp_path / "safejury.yaml"
        path.write_text(yaml.safe_dump({**base, **said, "jury": jury}))
        assert load_config(path).targets
    else:  # a map of categories
        for each in said.values():
            name = each if isinstance(each, str) else each["scenario"]
            assert name == "none" or load_taxonomy().resolve(name)


@pytest.fixture
def runs_of_the_block(workplace: Any, scripted: Start, request: pytest.FixtureRequest) -> None:
    """Make the finished runs that a block of Python reads, before there is an event loop."""
    callspec: Any = request.node.callspec  # pyright: ignore[reportUnknownMemberType]
    named = re.findall(r"(?:sj\.merge|sj\.load)\(([^)]*)\)", callspec.params["block"])
    runs = [run for words in named for run in re.findall(r'"(runs/\w+)"', words.split("into=")[0])]
    if runs:
        workplace.config(scripted().base_url)
        finish_runs(workplace, runs, alike=False)


# Those of some pages follow each other: `test_docs_python` runs them in their order.
@pytest.mark.parametrize(
    ("page", "block"),
    [
        each
        for each in having("python")
        if each.values[0].stem not in ("autogen", "cases", "figures", "python")
    ],
)
async def test_python_of_the_docs_runs(
    page: Path,
    block: str,
    scripted: Start,
    workplace: Any,
    monkeypatch: pytest.MonkeyPatch,
    runs_of_the_block: None,
) -> None:
    monkeypatch.syspath_prepend(workplace.path)  # pyright: ignore[reportUnknownMemberType]
    write_card(documented_card(), workplace.path / "jury-card.json")
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code: Any = compile(put(block, scripted().base_url), str(page), "exec", flags=flags)
    names: dict[str, Any] = {"__name__": "documented"}
    going = eval(code, names)
    if inspect.isawaitable(going):
        await going


def documented_card() -> JuryCard:
    """Return a card with the model that the page on trust shows."""
    model = next(json.loads(block) for block in blocks(TRUST, "json") if '"weights"' in block)
    weights = {name: tuple(each.values()) for name, each in model["weights"].items()}
    return hand_card(weights, intercept=model["intercept"], threshold=model["threshold"])


def test_the_arithmetic_of_a_card_is_as_shown() -> None:
    text = TRUST.read_text(encoding="utf-8")
    card, said = documented_card(), {"clinician": "unsafe", "lawyer": "safe", "sceptic": None}
    decision = card.apply(said)
    assert "= 0.25, and the probability is 1 / (1 + exp(-0.25)) = 0.562" in text
    assert f"{decision.finding} {decision.probability:.3f}" == "unsafe 0.562"
    assert "```text\nunsafe 0.562\n```" in text
    assert "`cost: {miss: 1, false_alarm: 2}` the threshold is 2 / (1 + 2) = 0.667" in text
    assert card.apply(said, cost=Cost(miss=1, false_alarm=2)).finding == "safe"


def test_the_report_in_the_readme_is_one_that_is_printed(
    workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Write it anew with SAFEJURY_UPDATE_GOLDEN=1 where this fails, and read the difference."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    url = scripted(reply).base_url
    seats = [
        {"persona": name, "base_url": url, "model": name, "price": 0}
        for name in ("clinician", "lawyer", "sceptic")
    ]
    names = ("careful-7b", "eager-7b")
    targets = [{"name": name, "base_url": url, "model": name, "price": 0} for name in names]
    config = workplace.config(dataset="mini", targets=targets, jury__jurors=seats)
    assert workplace.safejury("run", config).code == 0
    printed = workplace.safejury("report", "runs/first").out
    shown = printed[: printed.index("Cases by verdict")].rstrip()
    shown = "".join(f"{line.rstrip()}\n" for line in shown.splitlines())
    text = README.read_text(encoding="utf-8")
    if os.environ.get("SAFEJURY_UPDATE_GOLDEN"):
        README.write_text(REPORT.sub(lambda _: shown, text, count=1), encoding="utf-8")
        return
    (found,) = REPORT.findall(text)
    assert found == shown
