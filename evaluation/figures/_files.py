"""Writes figures as files, with an index that says how to read each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ...common import ConfigurationError
from ...common.files import atomic_write
from ...common.text import did_you_mean, quoted
from ..report import inline
from ._canvas import require_matplotlib
from ._figure import FORMATS, Figure, Figures

INDEX = "index.md"
"""Name of the file that lists the figures."""
_SHOWN = ("svg", "png")
"""Formats that a reader of Markdown sees, the best first."""


def read_formats(said: str) -> tuple[str, ...]:
    """Return the formats of a list such as `svg,png`.

    Raises:
        ConfigurationError: It names none, or one that there is not.
    """
    names = tuple(dict.fromkeys(name.strip().casefold() for name in said.split(",")))
    for name in names:
        if name not in FORMATS:
            raise ConfigurationError(
                f"--format {quoted(said)}: there is no format {quoted(name)}"
                f"{did_you_mean(name, FORMATS)}: name some of {', '.join(FORMATS)}"
            )
    return names


def write_figures(
    figures: Figures,
    folder: Path,
    formats: Sequence[str],
    *,
    title: str,
    notes: Sequence[str] = (),
    told: Callable[[Figure], None] = lambda _: None,
) -> Path:
    """Write figures into a folder, and return the index.

    Args:
        figures: The figures.
        folder: The folder, made if it is not there; what else is in it stays.
        formats: Names of `FORMATS`.
        title: What stands above the index.
        notes: What a reader must know first, a sentence each.
        told: Called with each figure that is written.

    Raises:
        ConfigurationError: The folder cannot be written, or matplotlib is not installed.
    """
    if set(formats) - {"csv"}:
        require_matplotlib()
    index = folder / INDEX
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for figure in figures:
            for form, content in figure.files(formats).items():
                with atomic_write(folder / f"{figure.name}.{form}") as file:
                    file.write(content)
            told(figure)
        with atomic_write(index) as file:
            lines = _index(figures, formats, title, notes)
            file.write("".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise ConfigurationError(
            f"{folder}: the figures cannot be written ({error.strerror}): free some space, or name "
            "another folder with --out"
        ) from None
    return index


def _index(
    figures: Figures, formats: Sequence[str], title: str, notes: Sequence[str]
) -> Iterator[str]:
    yield f"# {inline(title)}"
    for note in notes:
        yield ""
        yield f"**{inline(note)}**"
    seen = next((form for form in _SHOWN if form in formats), None)
    for figure in figures:
        yield ""
        yield f"## {inline(figure.title)}"
        yield ""
        if seen is not None:
            yield f"![{inline(figure.title)}]({figure.name}.{seen})"
            yield ""
        yield inline(figure.caption)
        yield ""
        yield " \N{MIDDLE DOT} ".join(f"[{form}]({figure.name}.{form})" for form in formats)
    if figures.left_out:
        yield ""
        yield "## Left out"
        yield ""
        yield from _left_out(figures.left_out)


def _left_out(left_out: Mapping[str, str]) -> Iterator[str]:
    for name, why in left_out.items():
        yield f"- {name}: {inline(why)}"
