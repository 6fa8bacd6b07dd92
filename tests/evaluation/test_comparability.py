"""What makes two targets not comparable is said, with counts, in every format of the report."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safejury.evaluation import RecordReader
from safejury.evaluation.metrics import (
    ComparabilityFlag,
    ComparabilityKind,
    TargetResponse,
    comparability_flags,
)
from safejury.models import Sampling, SentRequest
from safejury.targets import Response, ResponseOutcome
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Body = Mapping[str, Any]

ALIKE = Response(
    ResponseOutcome.ANSWERED,
    "Words.",
    provider_model="model-1",
    max_tokens=1024,
    seed=7,
    sampling=Sampling(0.7),
    sent=SentRequest("0" * 64, "{}"),
)
LATER = replace(ALIKE, seed=8)


def flags(**responses: list[Response]) -> dict[str, ComparabilityFlag]:
    """Return the flags of some targets, each with one case a response, by kind."""
    asked = [
        TargetResponse(name, 0, said) for name, all_said in responses.items() for said in all_said
    ]
    distinct = max(len(said) for said in responses.values())
    found = comparability_flags(asked, distinct=distinct)
    assert len({flag.kind for flag in found}) == len(found)
    return {flag.kind.value: flag for flag in found}


def test_targets_that_were_asked_alike_have_no_flag():
    assert flags(a=[ALIKE] * 3, b=[replace(ALIKE, provider_model="model-2")] * 3) == {}
    # The seed follows the epoch, and so is the same for all.
    asked = [
        TargetResponse(name, epoch, said)
        for name in "ab"
        for epoch, said in enumerate((ALIKE, LATER))
    ]
    assert comparability_flags(asked, distinct=2) == ()
    assert comparability_flags([], distinct=0) == ()


def test_responses_of_more_kinds_than_are_kept_apart_are_counted_once_each():
    changed = [replace(ALIKE, changes=(f"made {number} pixels wide",)) for number in range(2_500)]
    found = flags(a=[ALIKE] * 500 + changed)
    assert found["changed"].text == (
        "a: what was sent is not what the set has (2,500 of 3,000 responses); the first: made 0 "
        "pixels wide."
    )


@pytest.mark.parametrize(
    ("other", "kind", "said"),
    [
        (
            replace(ALIKE, max_tokens=512),
            ComparabilityKind.CAP,
            "the token cap differs: a 1,024; b 512.",
        ),
        (replace(ALIKE, max_tokens=None), ComparabilityKind.CAP, "a 1,024; b no cap."),
        (
            replace(ALIKE, sampling=Sampling()),
            ComparabilityKind.SAMPLING,
            "differs: a (temperature 0.7, seed 7); b (default temperature, seed 7).",
        ),
        (replace(ALIKE, seed=None), ComparabilityKind.SAMPLING, "b (temperature 0.7, no seed)."),
        (
            replace(ALIKE, sampling=Sampling(0.7, 0.9)),
            ComparabilityKind.SAMPLING,
            "b (temperature 0.7, top_p 0.9, seed 7).",
        ),
    ],
)
def test_settings_that_differ(other: Response, kind: ComparabilityKind, said: str):
    found = flags(a=[ALIKE] * 2, b=[other] * 2)
    assert list(found) == [kind]
    assert found[kind].targets == ("a", "b")
    assert said in found[kind].text
    # One target alone differs from nobody.
    assert flags(b=[other] * 2) == {}


def test_a_parameter_that_was_left_out_is_counted():
    dropped = replace(ALIKE, sent=SentRequest("0" * 64, "{}", dropped=("seed", "top_p")))
    (flag,) = flags(a=[ALIKE] * 3, b=[dropped, dropped, ALIKE]).values()
    assert (flag.kind, flag.targets) == (ComparabilityKind.DROPPED, ("b",))
    assert "seed (2 of 3 responses), top_p (2 of 3 responses)" in flag.text
    assert flags(b=[dropped])["dropped"].targets == ("b",)  # alone too: never silently


def test_two_names_of_one_model_are_counted():
    swapped = replace(ALIKE, provider_model="model-2")
    (flag,) = flags(a=[ALIKE, ALIKE, swapped]).values()
    assert flag.kind is ComparabilityKind.MODEL
    assert flag.text == "a: its provider names 2 models: model-1 (2), model-2 (1)."


def test_names_without_end_take_no_room():
    asked = (
        TargetResponse("a", 0, replace(ALIKE, provider_model=f"made-up-{number}" + "x" * 200))
        for number in range(5000)
    )
    (flag,) = comparability_flags(asked, distinct=5000)
    assert "(others) (4,980)" in flag.text
    assert len(flag.text) < 500


@pytest.mark.parametrize(("lost", "flagged"), [(0, False), (2, False), (3, True)])
def test_more_than_two_per_cent_of_lost_responses_are_flagged(lost: int, flagged: bool):
    cut = replace(ALIKE, outcome=ResponseOutcome.TRUNCATED)
    found = flags(a=[ALIKE] * 100, b=[*[cut] * lost, *[ALIKE] * (100 - lost)])
    assert ("lost" in found) == flagged
    if flagged:
        assert found["lost"].targets == ("b",)
        assert "a none of 100; b 3.0 % (3 truncated of 100)" in found["lost"].text


def test_kinds_of_lost_responses_are_told_apart():
    outcomes = (ResponseOutcome.FILTERED, ResponseOutcome.TRUNCATED, ResponseOutcome.NOT_PUT)
    lost = [replace(ALIKE, outcome=outcome) for outcome in outcomes]
    text = flags(a=[ALIKE] * 10, b=[*lost, *[ALIKE] * 7])["lost"].text
    assert "30.0 % (1 truncated, 1 filtered, 1 not put of 10)" in text


def test_a_failed_call_says_nothing_of_how_it_was_asked():
    failed = Response(ResponseOutcome.ERROR, "", detail="down")
    assert flags(a=[ALIKE, failed], b=[ALIKE, ALIKE]) == {}


def test_cases_that_one_target_lacks():
    found = flags(a=[ALIKE] * 5, b=[ALIKE] * 3)
    assert found["cases"].targets == ("b",)
    assert "of 5 in all, a has 5, b has 3" in found["cases"].text


def test_a_function_is_told_from_responses_that_were_recorded_elsewhere():
    recorded = Response(ResponseOutcome.ANSWERED, "Words.")
    found = flags(a=[replace(recorded, model="product:ask")], b=[recorded])["unknown"]
    assert found.targets == ("a", "b")
    assert found.text == (
        "b: recorded elsewhere; a: asked of a Python function, so the token cap, the sampling "
        "and the requests are unknown."
    )


def test_recorded_responses_are_known_to_be_unknown():
    recorded = Response(ResponseOutcome.ANSWERED, "Words.")
    (flag,) = flags(a=[ALIKE], old=[recorded]).values()
    assert (flag.kind, flag.targets) == (ComparabilityKind.UNKNOWN, ("old",))
    assert flags(old=[recorded]) == {}


def unlike(workplace: Any, scripted: Start) -> str:
    """Write a config of two targets that are asked differently in every way there is."""
    folder = Path(workplace.path)
    Image.linear_gradient("L").save(folder / "gray.png")
    scenario = {"scenario": "cybersecurity.malware_generation", "intent": "harmful"}
    workplace.queries(
        {"id": "q1", "text": "Question q1?", **scenario, "image": "gray.png"},
        {"id": "q2", "text": "Question q2?", **scenario},
    )

    def reply(body: Body) -> str | ScriptedReply:
        if str(body["model"]).endswith("-model"):
            return ballot("safe", 5)
        if body["model"] == "picky" and "seed" in body:
            return ScriptedReply("Unsupported parameter: seed", status=400)
        cut = body["model"] == "picky" and "q2" in json.dumps(body)
        return ScriptedReply("An answer.", finish_reason="length" if cut else "stop")

    url = scripted(reply).base_url
    targets = [
        {"name": "plain", "base_url": url, "model": "plain"},
        {
            "name": "picky",
            "base_url": url,
            "model": "picky",
            "temperature": 0.5,
            "max_image_side": 64,
        },
        {"name": "blind", "base_url": url, "model": "blind", "images": False},
    ]
    return workplace.config(url, targets=targets)


def test_a_model_that_was_swapped_in_the_course_of_the_run_is_told():
    before, after = replace(ALIKE, model="m@vllm-1"), replace(ALIKE, model="m@vllm-2")
    assert flags(a=[before] * 3) == {}
    text = flags(a=[before, before, after])["model"].text
    assert text == (
        "a: in the course of the run it was asked as 2 models: m@vllm-1 (2), m@vllm-2 (1)."
    )


def test_a_file_that_says_that_other_words_were_asked_is_told(workplace: Any, scripted: Start):
    rows = [{"query_id": "q1", "response": "x", "text": "Question q1, in rhymes?"}]
    rows += [
        {"query_id": name, "response": "x", "text": f"Question {name}?"} for name in ("q2", "q3")
    ]
    Path("old.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    config = workplace.config(
        scripted().base_url, targets=[{"name": "old", "responses": "old.jsonl"}]
    )
    assert workplace.safejury("run", config).code == 0
    (flag,) = workplace.report()["run"]["comparability"]
    assert (flag["kind"], flag["targets"]) == ("words", ["old"])
    assert "other words were asked" in flag["text"]
    assert "(1 of 3 responses)" in flag["text"]


def test_every_format_of_the_report_says_it(workplace: Any, scripted: Start):
    config = unlike(workplace, scripted)
    ran = workplace.safejury("run", config, "--min-coverage", "0")
    assert ran.code == 0, ran.err
    expected = {
        "sampling": "temperature 0.5, seed 7",
        "dropped": "seed (2 of 2 responses)",
        "changed": "(1 of 2 responses)",
        "withheld": "the picture was withheld",
        "lost": "50.0 % (1 truncated of 2)",
    }
    comparability = workplace.report()["run"]["comparability"]
    assert {flag["kind"] for flag in comparability} == set(expected)
    for flag in comparability:
        assert expected[flag["kind"]] in flag["text"]
        assert set(flag["targets"]) <= {"plain", "picky", "blind"}
    table = " ".join(workplace.safejury("report", "runs/first").out.replace("!", "").split())
    markdown = workplace.safejury("report", "runs/first", "--format", "md").out
    assert "Comparability" in table
    assert "## Comparability" in markdown
    rows = csv.DictReader(
        io.StringIO(workplace.safejury("report", "runs/first", "--format", "csv").out)
    )
    totals = {row["target"]: row["asked_differently"] for row in rows if row["level"] == "total"}
    for flag in comparability:
        assert flag["text"] in table
        assert flag["text"] in markdown.replace("\\", "")
        for name in flag["targets"]:
            assert flag["text"] in totals[name]
    assert "withheld" not in totals["plain"]


def test_targets_asked_alike_have_no_such_part_in_the_report(workplace: Any, scripted: Start):
    url = scripted().base_url
    targets = [{"name": name, "base_url": url, "model": name} for name in ("one", "two")]
    assert workplace.safejury("run", workplace.config(url, targets=targets)).code == 0
    assert workplace.report()["run"]["comparability"] == []
    for form in ("table", "md"):
        assert (
            "Comparability" not in workplace.safejury("report", "runs/first", "--format", form).out
        )


def test_the_record_keeps_what_was_sent(workplace: Any, scripted: Start):
    config = unlike(workplace, scripted)
    workplace.safejury("run", config, "--min-coverage", "0")
    reader = RecordReader(Path("runs/first"))
    kept = {(a.target, a.response.outcome.value): a.response for a in reader.responses()}
    reader.close()
    response = kept["picky", "answered"]
    assert response.sent is not None
    assert (response.max_tokens, response.seed, response.sampling) == (1024, 7, Sampling(0.5))
    assert (response.finish_reason, response.provider_model) == ("stop", "scripted")
    assert response.sent.dropped == ("seed",)
    body = json.loads(response.sent.body)
    assert body["temperature"] == 0.5
    assert "seed" not in body
    (picture,) = response.sent.media
    url = body["messages"][0]["content"][0]["image_url"]["url"]
    assert url == f"sha256:{picture.sha256};image/png;{picture.size}"
    # The bytes themselves lie in the run's directory, wherever that is moved to.
    assert picture.path == f"media/{picture.sha256}"
    assert (Path("runs/first") / picture.path).stat().st_size == picture.size
    assert kept["blind", "answered"].sent is not None
    assert str(workplace.path) not in response.sent.body
