"""Commands that judge: `run`, `judge`, `deliberate`, `serve` and batches."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._batch import export_batch, import_batch
    from ._deliberate import deliberate
    from ._embedded_jury import EMBEDDED_JURY, EMBEDDED_SEED
    from ._evaluate import run_and_report
    from ._judge import judge
    from ._one_case import deliberate_once, recorded_case
    from ._run import run
    from ._serve import serve

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_batch": ["export_batch", "import_batch"],
            "_deliberate": ["deliberate"],
            "_embedded_jury": ["EMBEDDED_JURY", "EMBEDDED_SEED"],
            "_evaluate": ["run_and_report"],
            "_judge": ["judge"],
            "_one_case": ["deliberate_once", "recorded_case"],
            "_run": ["run"],
            "_serve": ["serve"],
        },
    )

__all__ = [
    "EMBEDDED_JURY",
    "EMBEDDED_SEED",
    "deliberate",
    "deliberate_once",
    "export_batch",
    "import_batch",
    "judge",
    "recorded_case",
    "run",
    "run_and_report",
    "serve",
]
