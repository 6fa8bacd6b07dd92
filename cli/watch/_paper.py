"""Lines for a terminal, made of what rich lays out."""

import io

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.text import Text

from ...deliberation.transcript import Look

_COLORS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
}


class _Sheet(io.StringIO):
    """A file in memory that says the encoding of another."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The encoding of the terminal."""
        return self._encoding


class Paper:
    """Lays out what is shown, for one width.

    Args:
        width: Columns.
        encoding: Encoding of the terminal.
        colors: The terminal's colors, as rich names them; None for none.

    Attributes:
        colors: The terminal's colors, as rich names them; None for none.
        look: Marks and colors for this width.
    """

    def __init__(self, width: int, *, encoding: str = "utf-8", colors: str | None = None) -> None:
        self.width = width
        self._sheet = _Sheet(encoding)
        self._console = Console(
            file=self._sheet,
            width=width,
            color_system=colors,  # type: ignore[arg-type]
            force_terminal=True,
            force_jupyter=False,
            legacy_windows=False,
            highlight=False,
        )
        self.colors = colors
        self._colors = _COLORS.get(colors or "")
        self.look = Look.of(self._console.options)

    def lines(self, shown: RenderableType) -> list[str]:
        """Return something as lines that fit, with the colors of the terminal."""
        self._console.print(shown)
        text = self._sheet.getvalue()
        self._sheet.seek(0)
        self._sheet.truncate()
        return text.removesuffix("\n").split("\n")

    def line(self, *parts: Text) -> str:
        """Return one line of these parts, cut off where the terminal ends."""
        text = Text.assemble(*parts)
        text.truncate(self.width, overflow="ellipsis")
        # Without the layout of a whole print, of which one line needs nothing.
        return "".join(
            words if style is None else style.render(words, color_system=self._colors)
            for words, style, _ in text.render(self._console)
        )
