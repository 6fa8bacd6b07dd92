"""Exports transcripts to self-contained HTML, SVG and Markdown files."""

import html
import io
import re
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from ...common import ConfigurationError, escape_line
from ..protocol import CaseOpened, Entry, SeatInfo
from ._case import render_case
from ._export_markdown import markdown

WIDTH = 100
"""Width of an exported transcript in columns, whatever the terminal."""

_FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

_HTML = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>@title@</title>
<style>
{stylesheet}
body {{ margin: 2rem auto; width: max-content; max-width: 100%; color: #1f2328; background: #fff; }}
pre {{ overflow-x: auto; font: 14px/1.35 @fonts@; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e6edf3; background: #0d1117; }} }}
</style>
</head>
<body><pre><code style="font-family: inherit">{code}</code></pre></body>
</html>
"""

_SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
    font-family: @fonts@; font-size: {char_height}px; white-space: pre;
}}
.{unique_id}-title {{ font-family: sans-serif; font-size: 16px; font-weight: bold; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""

_ASPECT = 0.602
"""Width of a character of these fonts relative to its height."""
_RUN = re.compile(
    r'x="(?P<x>[\d.e+]+)" (?P<y>y="[\d.e+]+") textLength="[\d.e+]+" '
    r'(?P<clip>clip-path="[^"]*")>(?P<words>[^<]*)<'
)

_ANSI = [(0, 0, 0), (215, 0, 95), (0, 135, 0), (175, 95, 0), (0, 135, 215), (175, 95, 175)]
_DARK = TerminalTheme((13, 17, 23), (230, 237, 243), [*_ANSI, (0, 135, 135), (230, 237, 243)])


def export_transcript(
    entries: Sequence[Entry],
    jury: Sequence[SeatInfo],
    path: Path,
    *,
    target: str,
    protocol: str = "",
    reveal: bool = False,
    elapsed_s: float | None = None,
    record: str = "",
) -> None:
    """Write the transcript of a case in the format that the path's suffix names.

    The file has no script and no outside references; markup in words of models is escaped.

    Args:
        entries: All entries of the case, in order.
        jury: The jury, in seat order.
        path: Ends in `.html`, `.svg` or `.md`; an existing file is replaced.
        target: Name of the target.
        protocol: Name of the protocol, left out if empty.
        reveal: Whether to show the question and the response.
        elapsed_s: Duration of the deliberation in seconds, None if unknown.
        record: One line on the record that it was read from.

    Raises:
        ConfigurationError: The suffix is not supported, or the file cannot be written.
    """
    suffix = check_export_path(path)
    if suffix == ".md":
        text = markdown(
            entries,
            jury,
            target=target,
            protocol=protocol,
            reveal=reveal,
            elapsed_s=elapsed_s,
            record=record,
        )
    else:
        console = Console(
            record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, no_color=False
        )
        console.print(
            render_case(
                entries, jury, target=target, protocol=protocol, reveal=reveal, elapsed_s=elapsed_s
            )
        )
        if record:
            console.print(Text(escape_line(record), "italic"))
        text = _page(console, suffix, _title(entries))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"Cannot write the transcript to {str(path)!r} ({error.strerror}): "
            "choose a file in a writable directory."
        ) from error


def check_export_path(path: Path) -> str:
    """Return the suffix in lower case; lets a caller refuse a wrong one before any work.

    Raises:
        ConfigurationError: The suffix is not one of the three.
    """
    suffix = path.suffix.lower()
    if suffix not in (".html", ".svg", ".md"):
        raise ConfigurationError(
            f"Cannot export a transcript to {path.name!r}: "
            "use a name that ends in .html, .svg or .md."
        )
    return suffix


def _title(entries: Sequence[Entry]) -> str:
    ids = [escape_line(e.case.query.id) for e in entries if isinstance(e, CaseOpened)]
    return f"safejury {', '.join(ids)}".strip()


def _page(console: Console, suffix: str, title: str) -> str:
    if suffix == ".svg":
        svg = console.export_svg(
            title=title,
            theme=_DARK,
            code_format=_SVG.replace("@fonts@", _FONTS),
            font_aspect_ratio=_ASPECT,
            unique_id="transcript",
        )
        return _RUN.sub(_fitted, svg)
    # Braces would be read as fields by the template.
    name = html.escape(title).replace("{", "{{").replace("}", "}}")
    template = _HTML.replace("@fonts@", _FONTS).replace("@title@", name)
    return console.export_html(theme=_DARK, code_format=template)


def _fitted(run: re.Match[str]) -> str:
    """Position a run of characters at its first visible one, as wide as its cells.

    Some viewers drop the blanks at its ends, and rich's length counts characters, not
    columns.
    """
    words = html.unescape(run["words"])
    shown = words.strip("\xa0")
    column = 20 * _ASPECT
    x = float(run["x"]) + column * (len(words) - len(words.lstrip("\xa0")))
    escaped = html.escape(shown).replace("\xa0", "&#160;")
    return (
        f'x="{x:g}" {run["y"]} textLength="{column * cell_len(shown):g}" {run["clip"]}>{escaped}<'
    )
