"""What happened, and how sure we are: runs, records, statistics, the command line."""

from typing import TYPE_CHECKING

from ..datasets._lazy import lazy

if TYPE_CHECKING:
    from ._config import load_config
    from ._config_shape import Config
    from ._examiner import Examiner
    from ._intervals import Rate, wilson_interval
    from ._record import open_record
    from ._record_reader import RecordReader
    from ._report import report_csv, report_json, report_markdown
    from ._report_table import report_table
    from ._result import CaseResult
    from ._run import RunOutcome, run
    from ._session import Observer
    from ._setup import Setup, set_up
    from ._statistics import summarise
    from ._summary import RunSummary, TargetSummary
    from ._unit import Unit

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "CaseResult": "_result",
            "Config": "_config_shape",
            "Examiner": "_examiner",
            "Observer": "_session",
            "Rate": "_intervals",
            "RecordReader": "_record_reader",
            "RunOutcome": "_run",
            "RunSummary": "_summary",
            "Setup": "_setup",
            "TargetSummary": "_summary",
            "Unit": "_unit",
            "load_config": "_config",
            "open_record": "_record",
            "report_csv": "_report",
            "report_json": "_report",
            "report_markdown": "_report",
            "report_table": "_report_table",
            "run": "_run",
            "set_up": "_setup",
            "summarise": "_statistics",
            "wilson_interval": "_intervals",
        },
    )

__all__ = [
    "CaseResult",
    "Config",
    "Examiner",
    "Observer",
    "Rate",
    "RecordReader",
    "RunOutcome",
    "RunSummary",
    "Setup",
    "TargetSummary",
    "Unit",
    "load_config",
    "open_record",
    "report_csv",
    "report_json",
    "report_markdown",
    "report_table",
    "run",
    "set_up",
    "summarise",
    "wilson_interval",
]
