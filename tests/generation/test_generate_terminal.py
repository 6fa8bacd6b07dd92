"""What `safejury generate` says: of a config, of cost, and when it is interrupted."""

import io
import json
import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from dialogue_script import Body, Script
from generate_cli import (
    safejury,
    safejury_here,
    served,
    start,
    start_from_the_beginning,
    write_config,
)
from rich.console import Console

from safejury.cli.data import GenerateProgress
from safejury.generation.config import GenerateConfig
from safejury.testing import ScriptedReply

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOBODY = "http://127.0.0.1:9/v1"
BLOCKS = [
    block
    for page in (DOCS / "generation.md", *sorted((DOCS / "generation").glob("*.md")))
    for block in re.findall(
        r"^```yaml\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.partition(":")[0])
def test_what_the_docs_show_of_a_config_is_one(block: str) -> None:
    needed = {"panel": [{"name": "one", "model": "m/m"}], "generator": {"model": "m/m"}}
    GenerateConfig.model_validate(needed | yaml.safe_load(block))


def test_the_docs_show_every_part_of_a_config() -> None:
    parts = [key for block in BLOCKS for key in yaml.safe_load(block)]
    assert {"panel", "taxonomy", "queries", "twins", "pictures", "speech"} <= set(parts)


def test_blanks_are_no_purpose(tmp_path: Path) -> None:
    config = write_config(tmp_path, NOBODY, purpose="  \n ")
    _, told = safejury(tmp_path, "generate", config, "--estimate", code=2)
    assert "purpose" in told.splitlines()[-1]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"speech": {}}, "apt install espeak-ng"),
        ({"pictures": {"renderer": "diffusers", "model": "any"}}, "pip install"),
    ],
)
def test_an_estimate_needs_nothing_that_draws_or_speaks_and_says_what_is_missing(
    changes: dict[str, object],
    missing: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = str(tmp_path / write_config(tmp_path, NOBODY, **changes))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    told = " ".join(safejury_here("generate", config, "--estimate").split())
    assert "Note: needed before the set can be made: " in told
    assert missing in told
    assert "Estimated cost: " in told
    assert missing in " ".join(safejury_here("generate", config, code=2).split())


@pytest.mark.parametrize("columns", [40, 100])
def test_an_estimate_names_who_is_asked_and_the_cost_at_any_width(
    columns: int, tmp_path: Path
) -> None:
    price = {"input": 1000, "output": 1000}
    writer = {"base_url": NOBODY, "model": "writer", "price": price}
    config = write_config(tmp_path, NOBODY, generator=writer)
    with start(tmp_path, "generate", config, "--estimate", columns=columns) as child:
        _, told = child.communicate(timeout=60)
    assert "…" not in told
    assert all(len(line) <= columns for line in told.splitlines() if "generator" in line)
    assert re.search(r"^ ?queries +generator .* \$\d+\.\d\d *$", told, re.MULTILINE), told
    assert ("tokens" in told) == (columns == 100)


def test_a_bar_whose_steps_are_done_does_not_claim_that_the_stage_is() -> None:
    """What fell out of a stage is made up for once all planned steps are done."""
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True, color_system=None)
    with GenerateProgress(console) as progress:
        progress.stage("queries", 2)
        progress.step()
        progress.step(note="Malware")
    last = [line for line in out.getvalue().splitlines() if "queries" in line][-1]
    assert "2/2" in last
    assert "finishing · Malware" in last
    assert "0:00:00" not in last


def test_an_interrupted_command_tells_how_to_go_on(tmp_path: Path) -> None:
    scoring = threading.Event()

    def reply(body: Body) -> Any:
        if "Score each request" not in json.dumps(body):
            return Script()(body)
        scoring.set()
        return ScriptedReply(hang=True)

    with served(reply) as server:
        config = write_config(tmp_path, server.base_url)
        options = ("--set", "set.seed=9", "--until", "twins", "--again", "queries")
        child = start(
            tmp_path, "generate", config, *options, "--again", "twins", "--accept-failures"
        )
        assert scoring.wait(60)
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=60)
    assert child.returncode == 130, told
    again = "g.yaml --set set.seed=9 --until twins --again queries --again twins --accept-failures"
    assert told.splitlines()[-2:] == [
        "Interrupted. Finished work is kept in sets/made.",
        f"Resume with: safejury generate {again}",
    ]


def test_one_that_is_interrupted_while_packages_load_tells_so_too(tmp_path: Path) -> None:
    loading = tmp_path / "loading"
    os.mkfifo(loading)
    (tmp_path / "slow").mkdir()
    waits = f"open({str(loading)!r}, 'w').close()\nimport signal\nsignal.pause()\n"
    (tmp_path / "slow" / "filelock.py").write_text(waits)
    config = write_config(tmp_path, NOBODY)
    slow = str(tmp_path / "slow")
    child = start_from_the_beginning(tmp_path, "generate", config, path=slow)
    loading.read_text()
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=60)
    assert child.returncode == 130, told
    assert told.splitlines() == ["Resume with: safejury generate g.yaml", "Interrupted."]
