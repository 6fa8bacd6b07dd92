"""Commands that show what a run found, and draw, compare, merge, check and export it."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._cases import cases
    from ._compare import compare
    from ._export import export
    from ._figures import figures
    from ._gate import gate
    from ._merge import merge
    from ._report import report
    from ._show import show
    from ._table import show_table
    from ._verify import verify
    from ._view import view

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_cases": ["cases"],
            "_compare": ["compare"],
            "_export": ["export"],
            "_gate": ["gate"],
            "_figures": ["figures"],
            "_merge": ["merge"],
            "_report": ["report"],
            "_show": ["show"],
            "_table": ["show_table"],
            "_verify": ["verify"],
            "_view": ["view"],
        },
    )

__all__ = [
    "cases",
    "compare",
    "export",
    "figures",
    "gate",
    "merge",
    "report",
    "show",
    "show_table",
    "verify",
    "view",
]
