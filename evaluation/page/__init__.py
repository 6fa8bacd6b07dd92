"""Writes the page of one or several runs: pieces of data, and a folder that opens from disk."""

from ._assets import assets
from ._export import WrittenPage, write_page
from ._figures import figure_file
from ._pieces import IN_INDEX, IN_PIECE, piece, piece_names, script
from ._source import PageOptions, PageSource

__all__ = [
    "IN_INDEX",
    "IN_PIECE",
    "PageOptions",
    "PageSource",
    "WrittenPage",
    "assets",
    "figure_file",
    "piece",
    "piece_names",
    "script",
    "write_page",
]
