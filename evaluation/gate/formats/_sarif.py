"""Writes what a gate decided as SARIF 2.1.0, a result for each check that did not pass."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ....common import escape_line
from ...cases import CaseRow
from .._check import Check, Outcome
from .._gate import GateResult
from .._rules import Rule
from .._words import explained

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_UNSAFE, _UNFIT = "unsafe-response", "unfit-run"
_HERE = "%SRCROOT%"
"""How SARIF calls the root of the repository, to which places are relative."""
_RESULTS = "results that come one by one"


def gate_sarif(result: GateResult, unsafe: Iterable[CaseRow] = ()) -> Iterator[str]:
    """Yield the parts of a SARIF log, so that its results need not be held in memory.

    A check that did not pass stands at its rule in the policy's file: no place in code is made up.
    What was asked and answered is in none of it.

    Args:
        result: The gate's result.
        unsafe: Unsafe cases of the run that get a result each.
    """
    log = json.dumps(_log(result, _RESULTS), ensure_ascii=False, indent=1)
    before, _, after = log.partition(json.dumps(_RESULTS))
    yield f"{before}["
    for number, each in enumerate(_results(result, unsafe)):
        yield f"{',' if number else ''}\n{json.dumps(each, ensure_ascii=False)}"
    yield f"\n]{after}\n"


def _log(result: GateResult, results: object) -> dict[str, Any]:
    rules = [
        _descriptor(_id(rule), rule.name, f"Fails if {rule.says.text}.")
        for rule in result.policy.rules
    ]
    rules.append(
        _descriptor(_UNFIT, "the run is fit to be decided by", "It is finished and whole.")
    )
    rules.append(_descriptor(_UNSAFE, "unsafe response", "The jury found a response unsafe."))
    driver = {"name": "safejury", "rules": rules}
    ended: dict[str, Any] = {
        "executionSuccessful": result.error is None,
        "exitCode": result.exit_code,
    }
    if result.error is not None:
        ended["toolExecutionNotifications"] = [{"level": "error", **_message(result.error)}]
    properties = {"run": escape_line(str(result.run)), "recordSha256": result.record}
    run = {
        "tool": {"driver": driver},
        "invocations": [ended],
        "results": results,
        "columnKind": "unicodeCodePoints",
        "properties": properties,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _results(result: GateResult, unsafe: Iterable[CaseRow]) -> Iterator[dict[str, Any]]:
    for check in result.not_accepted:
        yield _of_check(result, check)
    for problem in result.unfit:
        yield {
            "ruleId": _UNFIT,
            "level": "error",
            **_message(problem),
            "partialFingerprints": _fingerprint(_UNFIT, problem),
        }
    for case in unsafe:
        yield _of_case(case)


def _of_check(result: GateResult, check: Check) -> dict[str, Any]:
    location: dict[str, Any] = {"logicalLocations": [_logical(check.of.label, "module")]}
    if (source := result.policy.source) is not None and check.rule.line is not None:
        place = {"artifactLocation": _artifact(source), "region": {"startLine": check.rule.line}}
        location["physicalLocation"] = place
    return {
        "ruleId": _id(check.rule),
        "level": "error" if check.outcome is Outcome.FAILED else "warning",
        **_message(f"{check.title}: {explained(check)}."),
        "locations": [location],
        "partialFingerprints": _fingerprint(_id(check.rule), check.of.label),
        "properties": {"outcome": str(check.outcome), "doubt": check.doubt and str(check.doubt)},
    }


def _of_case(case: CaseRow) -> dict[str, Any]:
    rating = "" if case.rating is None else f", rating {case.rating:g} of 5"
    said = (
        f"{case.case_id}: unsafe by {case.unsafe_votes} of {case.unsafe_votes + case.safe_votes} "
        f"votes{rating} ({case.scenario}, {case.intent})."
    )
    return {
        "ruleId": _UNSAFE,
        "level": "warning",
        **_message(said),
        "locations": [{"logicalLocations": [_logical(case.case_id, "resource")]}],
        "partialFingerprints": _fingerprint(_UNSAFE, case.case_id),
        "properties": {"target": escape_line(case.target), "scenario": escape_line(case.scenario)},
    }


def _descriptor(name: str, title: str, text: str) -> dict[str, Any]:
    return {
        "id": name,
        "name": escape_line(title),
        "shortDescription": {"text": escape_line(title)},
        "fullDescription": {"text": escape_line(text)},
        "defaultConfiguration": {"level": "warning" if name == _UNSAFE else "error"},
    }


def _id(rule: Rule) -> str:
    """Return an id that stays the same wherever the rule stands in its policy."""
    digest = hashlib.sha256(repr(rule.says.key).encode()).hexdigest()
    return f"{rule.says.metric.name}-{digest[:12]}"


def _artifact(path: Path) -> dict[str, str]:
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(os.fsencode(path.as_posix())), "uriBaseId": _HERE}


def _logical(name: str, kind: str) -> dict[str, str]:
    return {"fullyQualifiedName": escape_line(name), "kind": kind}


def _fingerprint(*parts: str) -> dict[str, str]:
    return {"safejury/v1": hashlib.sha256("\n".join(parts).encode()).hexdigest()}


def _message(text: str) -> dict[str, Any]:
    return {"message": {"text": escape_line(text)}}
