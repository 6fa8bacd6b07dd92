"""The pieces of a page: plain data by name, and the scripts that carry it.

A page from disk cannot fetch, so each piece is a script of one call, `safejury.piece(NAME, DATA)`.
A folder that is written and a server that answers for a run use the same pieces:

- `overview`: what was asked and how, what to beware of, the figures;
- `figures`: the charts, as trees of SVG elements;
- `index-K`: the cases from place K x 5,000 on as columns, see `columns_of`;
- `texts-K`: question and response of the same cases in lower case, to be searched;
- `cases-K`: the cases from place K x 50 on, with all that was said.

The place of a case is that in the order in which cases were finished, run after run.
"""

import json
from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

import msgspec

from ..cases import searched_text
from ._case import case_data
from ._columns import columns_of, index_row
from ._figures import figures_data
from ._media import shown_media
from ._overview import overview_data
from ._source import PageSource

IN_INDEX = 5_000
"""Cases in a piece of the index, and of the texts."""
IN_PIECE = 50
"""Cases in a piece with all that was said."""
Data = dict[str, Any]
_TOO_LARGE = 2**53


def overview(source: PageSource) -> Data:
    """Return the piece that is loaded first."""
    return {
        **overview_data(source),
        "in_index": IN_INDEX,
        "in_piece": IN_PIECE,
    }


def figures(source: PageSource) -> Data:
    """Return the charts."""
    return figures_data(source)


def index(source: PageSource, number: int) -> Data:
    """Return the columns of the cases from place `number` x 5,000 on."""
    start = number * IN_INDEX
    rows = [index_row(found, run, s) for run, found, s in source.results(start, start + IN_INDEX)]
    return {"start": start, "count": len(rows), "columns": columns_of(rows)}


def texts(source: PageSource, number: int) -> Data:
    """Return what is searched of the same cases: nothing in a page without texts."""
    start = number * IN_INDEX
    if not source.options.texts:
        return {"start": start, "texts": []}
    opened = source.openings(start, start + IN_INDEX)
    return {"start": start, "texts": [searched_text(each.case) for each in opened]}


def cases(source: PageSource, number: int) -> Data:
    """Return the cases from place `number` x 50 on."""
    start, with_texts = number * IN_PIECE, source.options.texts
    found: list[Data] = []
    for run, case in source.cases(start, start + IN_PIECE):
        shown = case.media if with_texts else ()
        media = shown_media(shown, source.media_folder(run), source.runs[run].meta.pruned_media)
        found.append({"run": run, **case_data(case, media, texts=with_texts)})
    return {"start": start, "cases": found}


_NUMBERED: dict[str, tuple[Callable[[PageSource, int], Data], int]] = {
    "index": (index, IN_INDEX),
    "texts": (texts, IN_INDEX),
    "cases": (cases, IN_PIECE),
}
_SINGLE: dict[str, Callable[[PageSource], Data]] = {"overview": overview, "figures": figures}


def piece_names(source: PageSource) -> Iterator[str]:
    """Yield the names of all pieces of a page."""
    yield from _SINGLE
    for name, (_, size) in _NUMBERED.items():
        if name != "texts" or source.options.texts:
            yield from (f"{name}-{number}" for number in range(ceil(source.count / size)))


def piece(source: PageSource, name: str) -> Data | None:
    """Return a piece by its name, None where a page has no such piece."""
    if name in _SINGLE:
        return _SINGLE[name](source)
    kind, _, number = name.partition("-")
    if kind not in _NUMBERED or not (number.isascii() and number.isdecimal()):
        return None
    make, size = _NUMBERED[kind]
    if str(int(number)) != number or int(number) * size >= source.count:
        return None
    return make(source, int(number))


def script(name: str, data: Data) -> bytes:
    """Return a piece as the script that hands it to the page.

    No text in it can end a script or a comment: `<` is escaped, and so are the two characters
    that end a line for scripts alone.
    """
    try:
        raw = msgspec.json.encode(data)
    except UnicodeEncodeError:  # the name of a folder need not be UTF-8
        raw = json.dumps(data).encode()
    for plain, escaped in (
        (b"<", b"\\u003c"),
        ("\u2028".encode(), b"\\u2028"),
        ("\u2029".encode(), b"\\u2029"),
    ):
        raw = raw.replace(plain, escaped)
    return b'safejury.piece("' + name.encode() + b'", ' + raw + b");\n"
