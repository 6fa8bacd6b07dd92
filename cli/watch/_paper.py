"""Lines for a terminal, made of what rich lays out."""

import io

from rich.console import Console, RenderableType
from rich.text import Text

from ...deliberation.transcript import Look


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
        self.look = Look.of(self._console.options)

    def lines(self, shown: RenderableType) -> list[str]:
        """Return something as lines that fit, with the colors of the terminal."""
        self._console.print(shown)
        text = self._sheet.getvalue()
        self._sheet.seek(0)
        self._sheet.truncate()
        return text.removesuffix("\n").split("\n")

    def line(self, *parts: Text, fill: bool = False) -> str:
        """Return one line, cut off where the terminal ends.

        Args:
            parts: What it says.
            fill: Whether it is as wide as the terminal.
        """
        text = Text.assemble(*parts)
        text.truncate(self.width, overflow="ellipsis", pad=fill)
        text.no_wrap = True
        return self.lines(text)[0]
