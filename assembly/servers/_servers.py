"""The fleet that runs the managed servers of a config."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from ...targets import Devices, Fleet, Meter, Plan, ServerUse, find_devices, plan
from ._server_clock import check_priced

SERVER_LOGS = "servers"
"""Folder of the servers' logs within a run's directory."""


async def plan_servers(uses: Sequence[ServerUse]) -> Plan:
    """Return where servers would run here, and which have no place here.

    Args:
        uses: The servers, at least one.

    Raises:
        ConfigurationError: A model's files are missing, or its Python cannot be run.
    """
    return plan(uses, await _devices(uses), whole=False)


async def _devices(uses: Sequence[ServerUse]) -> Devices:
    return await asyncio.to_thread(find_devices, uses[0].spec.python)


async def make_fleet(
    uses: Sequence[ServerUse],
    folder: Path,
    notify: Callable[[str], None],
    *,
    keyed: bool = True,
    clock: Meter | None = None,
) -> Fleet:
    """Return the fleet for some servers on the GPUs there are, with none started yet.

    Args:
        uses: The servers, at least one.
        folder: The run's directory; logs go into a folder there.
        notify: Is told what happens to the servers, a line each.
        keyed: Whether the servers ask for a random key.
        clock: Charges for their time, None where nobody does.

    Raises:
        ConfigurationError: One needs more than there is, its model is not there, or it has a
            price per GPU hour and no GPU.
    """
    fleet = Fleet(
        uses,
        await _devices(uses),
        folder=folder / SERVER_LOGS,
        notify=notify,
        keyed=keyed,
        meter=clock,
    )
    if clock is not None:
        check_priced(fleet.plan.placements)
    return fleet
