"""Commands that judge: `run`, `judge`, `deliberate`, `serve` and batches."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._batch_cli import export_batch, import_batch
    from ._deliberate import deliberate_once
    from ._embedded_jury import EMBEDDED_JURY, EMBEDDED_SEED
    from ._judge import Judging, judge_file
    from ._run import report_run, run_and_report, run_config, show_case
    from ._serve import serve_config, show_plan

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_batch_cli": ["export_batch", "import_batch"],
            "_deliberate": ["deliberate_once"],
            "_embedded_jury": ["EMBEDDED_JURY", "EMBEDDED_SEED"],
            "_judge": ["Judging", "judge_file"],
            "_run": ["report_run", "run_and_report", "run_config", "show_case"],
            "_serve": ["serve_config", "show_plan"],
        },
    )

__all__ = [
    "EMBEDDED_JURY",
    "EMBEDDED_SEED",
    "Judging",
    "deliberate_once",
    "export_batch",
    "import_batch",
    "judge_file",
    "report_run",
    "run_and_report",
    "run_config",
    "serve_config",
    "show_case",
    "show_plan",
]
