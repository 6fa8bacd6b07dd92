"""Writes a report as plain data and as JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from ..metrics import RunSummary
from ..trust.talk import TalkFigures
from ._csv import report_csv
from ._health import health_warnings
from ._markdown import report_markdown
from ._talk import NO_TALK, talk_data

_CORRECTED, _METHOD = "corrected", "corrected_method"

__all__ = ["health_warnings", "report_csv", "report_data", "report_json", "report_markdown"]


def report_data(
    run_info: Mapping[str, object], summary: RunSummary, talk: TalkFigures = NO_TALK
) -> dict[str, object]:
    """Build the report from dictionaries, lists, numbers and None.

    Args:
        run_info: Facts of the run, placed under `run`.
        summary: The figures of the run; its targets are placed under `targets`. In a breakdown
            `by` says by what, and each target has `groups`.
        talk: What talking did; placed under `talk` where there was any.
    """
    # enc_hook: paths and dates of a configuration are reported as text.
    run = msgspec.to_builtins(run_info, enc_hook=str)
    if (spent := run.get("spent")) and spent["talk_audit"] is None:
        del spent["talk_audit"]  # as in reports of runs that have none
    found = cast("dict[str, Any]", msgspec.to_builtins(summary))
    _leave_out_corrected(found["targets"])
    for target in found["targets"]:
        groups = target.pop("groups")
        if summary.by is not None:
            target["groups"] = [{"value": each["value"], **each["figures"]} for each in groups]
    by = {} if summary.by is None else {"by": summary.by}
    return {"run": run, **by, "targets": found["targets"], **talk_data(talk)}


def _leave_out_corrected(found: object) -> None:
    """Leave out the fields of corrected rates where nothing was to correct them."""
    if isinstance(found, list | tuple):
        for each in cast("Sequence[object]", found):
            _leave_out_corrected(each)
    elif isinstance(found, dict):
        fields = cast("dict[str, object]", found)
        if fields.get(_METHOD) == "":
            for name in [name for name in fields if name.startswith(_CORRECTED)]:
                del fields[name]
        for each in fields.values():
            _leave_out_corrected(each)


def report_json(
    run_info: Mapping[str, object], summary: RunSummary, talk: TalkFigures = NO_TALK
) -> str:
    """Write the report as JSON; what was not measured is null.

    Characters beyond ASCII are escaped, so that names cannot control a terminal.
    """
    return json.dumps(report_data(run_info, summary, talk), indent=2, allow_nan=False) + "\n"
