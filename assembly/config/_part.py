"""Words of a config that are of one form wherever they stand."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, StringConstraints

VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, StringConstraints(min_length=1, pattern=NO_NUL)]
Variable = Annotated[str, StringConstraints(pattern=VARIABLE)]


def _day(value: object) -> object:
    """Return a date as text: YAML makes a date of `2024-08-30`, and a number of `2024`."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if type(value) is date:
        return value.isoformat()
    try:
        known = isinstance(value, str) and date.fromisoformat(f"{value}-01-01"[:10])
    except ValueError:
        known = False
    if not known:
        raise ValueError("must be a date, such as 2024-08-30, or less of it, such as 2024-08")
    return value


Day = Annotated[str, BeforeValidator(_day)]
"""A date as `YYYY-MM-DD`, or less of it."""


def _hold_what_is_made(formats: list[str]) -> list[str]:
    if not {"png", "jpeg"} <= set(formats):
        raise ValueError("must hold png and jpeg: pictures of other formats are made into them")
    return formats


ImageFormats = Annotated[
    list[Literal["png", "jpeg", "webp", "gif", "bmp"]], AfterValidator(_hold_what_is_made)
]
