"""What a run itself decided of the cases of a table of votes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...deliberation.protocol.card import DecidedBy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """The findings of a run, in the order of the cases of a table.

    Attributes:
        findings: For each case `UNSAFE`, `SAFE`, or `NO_VOTE` where there is no verdict.
        by: The protocol that decided.
    """

    findings: "NDArray[np.int8]"
    by: DecidedBy
