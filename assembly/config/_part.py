"""Words of a config that are of one form wherever they stand."""

from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, StringConstraints(min_length=1, pattern=NO_NUL)]
Variable = Annotated[str, StringConstraints(pattern=VARIABLE)]


def _hold_what_is_made(formats: list[str]) -> list[str]:
    if not {"png", "jpeg"} <= set(formats):
        raise ValueError("must hold png and jpeg: pictures of other formats are made into them")
    return formats


ImageFormats = Annotated[
    list[Literal["png", "jpeg", "webp", "gif", "bmp"]], AfterValidator(_hold_what_is_made)
]
