"""Writes the page of one or several runs: pieces of data, and a folder that opens from disk."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._assets import assets
    from ._export import WrittenPage, write_page
    from ._figures import figure_file
    from ._folder import is_page
    from ._pieces import IN_INDEX, IN_PIECE, piece, piece_names, script
    from ._source import PageOptions, PageSource

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_assets": ["assets"],
            "_export": ["WrittenPage", "write_page"],
            "_figures": ["figure_file"],
            "_folder": ["is_page"],
            "_pieces": ["IN_INDEX", "IN_PIECE", "piece", "piece_names", "script"],
            "_source": ["PageOptions", "PageSource"],
        },
    )

__all__ = [
    "IN_INDEX",
    "IN_PIECE",
    "PageOptions",
    "PageSource",
    "WrittenPage",
    "assets",
    "figure_file",
    "is_page",
    "piece",
    "piece_names",
    "script",
    "write_page",
]
