"""Words of a config that are of one form wherever they stand."""

from typing import Annotated

from pydantic import StringConstraints

VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, StringConstraints(min_length=1, pattern=NO_NUL)]
Variable = Annotated[str, StringConstraints(pattern=VARIABLE)]
