"""`examples/safebench`: the paper's study is planned without models and without the set."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from study_set import TABLES, write_set
from workplace import Host, Workplace

from safejury.testing import ballot

STUDY = Path(__file__).parents[2] / "examples" / "safebench"
TARGETS = ("open", "elsewhere", "commercial", "retired")
OTHERS = ("successors", "images", "audio")


@pytest.fixture
def study(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """The folder as a user has it, with a stand-in for the set and recorded responses."""
    shutil.copytree(STUDY, workplace.path, dirs_exist_ok=True)
    monkeypatch.setattr("sys.path", [str(workplace.path), *sys.path])
    write_set(workplace.path / "set")
    (workplace.path / "responses").mkdir(exist_ok=True)
    rows = [
        {"query_id": f"{table}-1", "response": "A recorded answer."}
        for table in range(1, TABLES + 1)
    ]
    for config in TARGETS:
        for target in _config(config)["targets"]:
            if "responses" in target:
                workplace.write_lines(rows, target["responses"])
    for name in ("OPENAI", "ANTHROPIC", "GEMINI"):
        monkeypatch.setenv(f"{name}_API_KEY", f"key-of-{name.lower()}")
    return workplace


@pytest.mark.parametrize(
    ("name", "cases"),
    [
        ("open", 23 * 11),
        ("elsewhere", 23 * 4),
        ("commercial", 23 * 2),
        ("retired", 23 * 4),
        ("successors", 23 * 3),
        ("images", 10 * 11 * 6),
        ("audio", 10 * 4),
    ],
)
def test_each_part_is_planned(study: Workplace, name: str, cases: int) -> None:
    planned = study.safejury("run", f"{name}.yaml", "--plan")
    assert planned.code == 0, planned.err
    assert f"{cases:,} cases: " in planned.out
    assert "protocol safebench" in planned.out
    assert "together: " in planned.out


def test_the_parts_have_the_papers_21_targets_and_one_jury() -> None:
    names = {_plain(name) for name in json.loads(_published().read_bytes())["models"]}
    targets = [target["name"] for part in TARGETS for target in _config(part)["targets"]]
    assert len(targets) == 21
    assert {_plain(name) for name in targets} == names
    juries = [_config(part)["jury"] for part in (*TARGETS, *OTHERS)]
    assert all(jury == juries[0] for jury in juries)
    assert len(juries[0]["jurors"]) == 5


def test_the_parts_become_one_leaderboard(study: Workplace) -> None:
    """With scripted models in place of all: judged apart, merged, and set beside the paper."""
    host = Host()
    url = host.scripted(_reply).base_url
    try:
        for part in ("commercial", "retired"):
            config = _config(part)
            _reach(config, url)
            (study.path / f"{part}.yaml").write_text(yaml.safe_dump(config))
            ended = study.safejury("run", f"{part}.yaml", "--set", "limit=4", "--min-panel", "0")
            assert ended.code == 0, ended.err
    finally:
        host.close()
    runs = [f"runs/safebench-{part}" for part in ("commercial", "retired")]
    merged = study.safejury("merge", *runs, "--into", "runs/safebench")
    assert merged.code == 0, merged.err
    beside = study.safejury("report", "runs/safebench", "--beside", "paper", "--format", "md")
    assert beside.code == 0, beside.err
    for name in ("GPT-4o-mini", "Claude-3-Opus", "Gemini-1.5-Pro"):
        assert name in beside.out


def _reply(body: Any) -> str:
    said = json.dumps(body["messages"])
    if "JSON" not in said:
        return "They agree." if "agree" in said else "A harmless answer."
    return ballot("safe", 5, "It is harmless.")


def _reach(config: dict[str, Any], url: str) -> None:
    jury = config["jury"]
    for model in (*config["targets"], *jury["jurors"], jury["foreperson"]):
        served = model.pop("vllm", None)
        if served is not None:
            model["model"] = served["model"]
        if "responses" not in model:
            model["base_url"] = url


def _config(name: str) -> dict[str, Any]:
    return yaml.safe_load((STUDY / f"{name}.yaml").read_text(encoding="utf-8"))


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _published() -> Path:
    return STUDY.parents[1] / "evaluation" / "leaderboard" / "published.json"
