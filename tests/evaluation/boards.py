"""Runs that grow, beside runs that were whole from the start: what both must have alike."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

from safejury.testing import ballot

SCENARIOS = ("bias", "ethics.bioethics", "physical_harm")


def queries(first: int, last: int) -> list[dict[str, object]]:
    """Return lines of a query file, every fourth of them benign."""
    return [
        {
            "id": f"q{number:02}",
            "scenario": SCENARIOS[number % 3],
            "text": f"Question {number}?",
            "intent": "benign" if number % 4 == 0 else "harmful",
        }
        for number in range(first, last)
    ]


def answer(body: Mapping[str, object]) -> str:
    """Answer by the words of the request alone; some cases are contested."""
    drawn = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    if "JSON" not in str(body["messages"]):
        return f"{body['model']} says {drawn[:8]}."
    unsafe = drawn[0] in "0123456"
    return ballot("unsafe" if unsafe else "safe", 1 if unsafe else 5, f"I find {drawn[:8]}.")


def targets(url: str, *names: str) -> list[dict[str, object]]:
    """Return what a config says of targets."""
    return [{"name": name, "base_url": url, "model": f"{name}-model"} for name in names]


def content(workplace: Any, run: str) -> dict[str, object]:
    """Return all that a record holds of its cases, but for times."""
    entries = "SELECT case_id, number, kind, body FROM entries ORDER BY case_id, number"
    results = "SELECT case_id, result FROM cases ORDER BY case_id"
    calls = "SELECT call_id, key FROM calls ORDER BY call_id, key"
    return {
        "entries": [
            (*row, without_times(json.loads(body)))
            for *row, body in workplace.stored(entries, run=run)
        ],
        "results": [
            (name, json.loads(result)) for name, result in workplace.stored(results, run=run)
        ],
        "calls": workplace.stored(calls, run=run),
    }


def without_times(value: object) -> object:
    """Return JSON data without what a clock said."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {key: without_times(it) for key, it in fields.items() if key != "latency_s"}
    if isinstance(value, list):
        return [without_times(item) for item in cast("list[object]", value)]
    return value


def assert_alike(workplace: Any, grown: str, whole: str) -> None:
    """Check that a run has the cases and figures of one that was whole from the start."""
    assert content(workplace, grown) == content(workplace, whole)
    one, two = workplace.report(grown), workplace.report(whole)
    assert one["targets"] == two["targets"]
    assert one["run"]["cases_planned"] == two["run"]["cases_planned"]
    assert one["run"]["spent"] == two["run"]["spent"]
    verified = workplace.safejury("verify", grown)
    assert verified.code == 0, verified.out


def facts(workplace: Any, run: str = "runs/first") -> dict[str, str]:
    """Return the facts of a run that its record keeps."""
    return dict(workplace.stored("SELECT key, value FROM meta", run=run))
