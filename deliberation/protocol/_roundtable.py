"""The roundtable: jurors speak in turn, and each hears all that was said before."""

import random
from collections.abc import Sequence
from dataclasses import replace

from ...agents import Remark, RemarkCall
from ._sitting import Sitting


async def hold_roundtable(
    sitting: Sitting,
    seats: Sequence[str],
    *,
    turns: int,
    call: RemarkCall,
    seed: int,
) -> list[Remark]:
    """Let jurors speak until all of them, one after the other, have nothing to say.

    A turn that fails says nothing, and counts as a pass.

    Args:
        sitting: The case, whose last votes the seats have heard.
        seats: Who speaks.
        turns: How often each may speak at most.
        call: What each is asked, without what it heard.
        seed: Decides in which order they speak.
    """
    order = list(seats)
    random.Random(f"{seed}/{call.case.id}/{call.round}/turns").shuffle(order)
    remarks: list[Remark] = []
    silent = 0
    for turn in range(turns * len(order)):
        seat = order[turn % len(order)]
        remark = await sitting.call_remark(seat, replace(call, turn=turn + 1))
        remarks.append(remark)
        silent = 0 if remark.spoken else silent + 1
        if silent == len(order):
            break
    return remarks
