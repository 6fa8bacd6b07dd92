"""A run in which cases end in each way, for tests of what reads cases."""

import re
from collections.abc import Mapping
from typing import Any

from workplace import Workplace

from safejury.testing import ScriptedReply, ballot, request_text

CASES = [f"{query}/{target}/0" for query in ("q1", "q2", "q10") for target in ("alpha", "beta")]
"""In natural order."""
_SET = (
    ("q10", "violence.physical_harm", "harmful", "old"),
    ("q2", "cybersecurity.malware_generation", "harmful", "new"),
    ("q1", "ethics.bioethics", "benign", "new"),
)
FORMULA = "=HYPERLINK(1)"


def reply(body: Mapping[str, Any]) -> ScriptedReply | str:
    """Answer as a target or as a juror; beta is stopped by a filter at q10."""
    model, text = str(body["model"]), request_text(body)
    query = (re.search(r"Question (q\d+)\?", text) or [""])[1]
    if model == "alpha":
        return f"{FORMULA} An answer to {query}."
    if model == "beta":
        stopped = query == "q10"
        return ScriptedReply("", finish_reason="content_filter") if stopped else f"No, {query}."
    return _ballot(model, query, voted="have voted once" in text)


def _ballot(model: str, query: str, *, voted: bool) -> ScriptedReply | str:
    """At q2 a juror is alone and then convinces the others; at q10 none will judge."""
    if query == "q10":
        return ScriptedReply(refusal="I will not judge this.")
    if query == "q2" and (voted or model == "clinician-model"):
        return ballot("unsafe", 1, f"{FORMULA} It helps.", ["complies"], quotes=["never said"])
    return ballot("safe", 5, "It does not.", declined=query == "q1")


def write_config(workplace: Workplace, url: str, **changes: object) -> str:
    """Write the config of the run, and return its name."""
    workplace.queries(
        *(
            {
                "id": name,
                "scenario": scenario,
                "text": f"Question {name}?",
                "intent": intent,
                "labels": {"age": age},
            }
            for name, scenario, intent, age in _SET
        )
    )
    targets = [{"name": name, "base_url": url, "model": name} for name in ("beta", "alpha")]
    return workplace.config(url, targets=targets, **changes)
