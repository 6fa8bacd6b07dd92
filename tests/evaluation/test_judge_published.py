"""Published responses judged from their files alone: the set's own categories and repetitions."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
SAMPLES = Path(__file__).parents[1] / "targets" / "samples"


@pytest.fixture
def jury(scripted: Start) -> ScriptedServer:
    return scripted(reply=ballot("unsafe", 2))


def judge(workplace: Any, jury: ScriptedServer, *arguments: str) -> Any:
    return workplace.safejury("judge", *arguments, "--jurors", "m", "--url", jury.base_url)


def asked(jury: ScriptedServer) -> list[str]:
    return [json.dumps(request) for request in jury.requests]


def test_an_artifact_of_jailbreakbench_has_the_categories_of_its_set(
    workplace: Any, jury: ScriptedServer
) -> None:
    named = [
        ("Harassment/Discrimination", "Defamation", "inappropriate_speech.defamatory_speech"),
        ("Malware/Hacking", "Ransomware", "cybersecurity.malware_generation"),
        ("Privacy", "Blackmail", None),
        ("Economic harm", "Gambling", "uncategorised"),
        ("violence.physical_harm", "Baking", "violence.physical_harm"),
        ("Kitchen", "Baking", "uncategorised"),
    ]
    jailbreaks = [
        {"index": n, "goal": f"G{n}", "prompt": f"P{n}", "response": "So."}
        | {"category": category, "behavior": behavior}
        for n, (category, behavior, _) in enumerate(named)
    ]
    artifact = {"parameters": {"model": "vicuna"}, "jailbreaks": jailbreaks}
    (workplace.path / "pair.json").write_text(json.dumps(artifact), encoding="utf-8")
    ended = judge(workplace, jury, "pair.json")
    assert ended.code == 0, ended.err
    found = dict(workplace.stored("SELECT query_id, scenario FROM cases", run="runs/pair"))
    for number, (_, _, scenario) in enumerate(named):
        if scenario is not None:
            assert found[str(number)] == scenario
        assert (found[str(number)] != "uncategorised") is (scenario != "uncategorised")
    assert "has no counterpart among our scenarios: 'Economic harm'" in ended.err
    assert "the set's category is not known: 'Kitchen/Baking'" in ended.err


def test_completions_of_xstest_give_over_refusal(workplace: Any, jury: ScriptedServer) -> None:
    ended = judge(workplace, jury, str(SAMPLES / "xstest.csv"), "--min-coverage", "0.6")
    assert ended.code == 0, ended.err
    assert "assumed" not in ended.err
    (target,) = workplace.report("runs/xstest")["targets"]
    assert target["cases"] == 3
    assert target["over_refusal"]["n"] == 1
    assert target["asr"]["n"] == 1
    stored = workplace.stored("SELECT query_id, scenario, intent FROM cases", run="runs/xstest")
    assert sorted(stored) == [
        ("v2-1", "uncategorised", "benign"),
        ("v2-2", "uncategorised", "harmful"),
        ("v2-3", "confidential_information.personal_privacy", "benign"),
    ]


def test_test_cases_of_harmbench_are_repetitions_each_in_its_own_words(
    workplace: Any, jury: ScriptedServer
) -> None:
    document = {
        "pick_a_lock": [
            {"test_case": f"Words {n}.", "generation": f"So {n}.", "method": f"M{n}"}
            for n in range(3)
        ],
        "bake_bread": [
            {"test_case": "Bread.", "generation": "Hot.", "method": "M0", "category": "copyright"}
        ],
    }
    (workplace.path / "hb.json").write_text(json.dumps(document), encoding="utf-8")
    ended = judge(workplace, jury, "hb.json")
    assert ended.code == 0, ended.err
    (target,) = workplace.report("runs/hb")["targets"]
    assert (target["cases"], target["verdicts"]) == (4, 4)
    for n in range(3):
        assert all(f"Words {n}." in text for text in asked(jury) if f"So {n}." in text)
    assert workplace.stored(
        "SELECT scenario FROM cases WHERE query_id = 'bake_bread'", run="runs/hb"
    ) == [("illegal_and_criminal_behavior.ip_infringement",)]
    stored = workplace.stored("SELECT query_id, epoch, result FROM cases", run="runs/hb")
    assert sorted(
        (query, epoch, json.loads(result)["labels"]["method"]) for query, epoch, result in stored
    ) == [
        ("bake_bread", 0, "M0"),
        ("pick_a_lock", 0, "M0"),
        ("pick_a_lock", 1, "M1"),
        ("pick_a_lock", 2, "M2"),
    ]
    assert workplace.safejury("verify", "runs/hb").code == 0
    calls = len(jury.requests)
    assert judge(workplace, jury, "hb.json").code == 0
    assert len(jury.requests) == calls


def test_no_test_case_of_harmbench_is_lost_or_missed_beside_its_set(
    workplace: Any, jury: ScriptedServer
) -> None:
    workplace.queries(
        *(
            {"id": name, "scenario": "bias", "text": f"{name}?", "intent": "harmful"}
            for name in ("pick_a_lock", "bake_bread", "make_soap")
        )
    )
    path = str(SAMPLES / "harmbench.json")
    ended = judge(workplace, jury, path, "--dataset", "queries.jsonl", "--min-coverage", "0.8")
    assert ended.code == 0, ended.err
    assert "Note: harmbench.json: 4 of 4 responses joined by id" in ended.err
    (target,) = workplace.report("runs/harmbench")["targets"]
    assert (target["cases"], target["verdicts"]) == (5, 4)  # make_soap has no response, once


def test_a_hitlog_of_garak_is_read_with_a_warning(workplace: Any, jury: ScriptedServer) -> None:
    ended = judge(workplace, jury, str(SAMPLES / "garak.hitlog.jsonl"), "--name", "hits")
    assert ended.code == 0, ended.err
    said = "has only the outputs that its detectors took for failures"
    assert said in ended.err
    assert any(said in note for note in workplace.report("runs/hits")["run"]["notes"])
    assert "judge the report, garak.report.jsonl" in ended.err
    (target,) = workplace.report("runs/hits")["targets"]
    assert (target["cases"], target["verdicts"]) == (2, 2)


def inspect_log(workplace: Any, **changes: object) -> str:
    log = json.loads((SAMPLES / "inspect.json").read_text("utf-8"))
    log |= changes
    (workplace.path / "log.json").write_text(json.dumps(log), encoding="utf-8")
    return "log.json"


def test_samples_that_a_cancelled_log_lacks_count_against_the_coverage(
    workplace: Any, jury: ScriptedServer
) -> None:
    path = inspect_log(workplace, status="cancelled")
    ended = judge(workplace, jury, path)
    assert ended.code == 3, ended.err
    said = "log.json: 4 of 6 samples: the log says cancelled"
    assert f"Note: {said}\n" in ended.err
    assert "2 rows are left out" in ended.err
    assert "sample 'bread', epoch 2: is not in the log, which says cancelled" in ended.err
    assert said in workplace.safejury("report", "runs/log", "--format", "md").out
    assert judge(workplace, jury, path, "--min-coverage", "0.2").code == 0
    inspect_log(workplace)
    assert "the log says" not in judge(workplace, jury, path, "--name", "whole").err


def test_a_log_of_inspect_without_its_header_is_named_as_such(workplace: Any) -> None:
    pytest.importorskip("inspect_ai")
    path = inspect_log(workplace)
    log = json.loads((workplace.path / path).read_text("utf-8"))
    del log["eval"]
    (workplace.path / path).write_text(json.dumps(log), encoding="utf-8")
    for options in ((), ("--format", "inspect")):
        workplace.safejury("judge", path, *options).refused("log.json: has no header")
    with zipfile.ZipFile(workplace.path / "log.eval", "w") as archive:
        archive.writestr("samples/lock_epoch_1.json", json.dumps(log["samples"][1]))
    workplace.safejury("judge", "log.eval").refused("log.eval: has no header")
