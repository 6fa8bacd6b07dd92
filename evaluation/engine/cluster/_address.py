"""Where a cluster is: checked before Ray is told, which would wait for minutes."""

import asyncio
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from ....common import ConfigurationError, import_extra
from ....common.text import quoted
from ._errors import first_line

_ANSWER_S = 3.0
"""For which an address is waited for."""
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""How each connection with Ray begins: by HTTP/2, which no other server speaks in the open."""
_HTTP = b"HTTP/"
"""How servers answer that do not know what they were told."""
_LOOK_S = 30.0
"""For which what answers there is waited for to answer as Ray does."""


class _NoRayError(ConfigurationError):
    def __init__(self, address: str, why: str) -> None:
        self.found = f"no Ray cluster at {address}: {why}"
        super().__init__(
            f"{self.found}. Start one with `ray start --head`, or give the address that it said."
        )


async def ray_at(address: str | None) -> Any:
    """Return the module of Ray, once something answers at an address.

    Raises:
        ConfigurationError: Ray is not installed, or nothing answers there as Ray does.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = import_extra("--engine ray", "ray")
    place = address or os.environ.get("RAY_ADDRESS")
    if not place and (latest := _latest()):
        try:
            await _check_address(latest)
        except _NoRayError as error:
            raise ConfigurationError(
                f"{error.found}, which is the latest cluster that was started here: forget it by "
                "`ray stop`, or choose a cluster by --address (`local` for one of this run alone)"
            ) from None
    elif place and place not in ("auto", "local"):
        await _check_address(place)
    return ray


def _latest() -> str | None:
    """Return the address that Ray takes where none is given, None where there is none.

    `ray start` writes it into a file, which the documentation of `ray.init` names; a cluster that
    ends without `ray stop` leaves it there.
    """
    folder = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
    with suppress(OSError, UnicodeDecodeError):
        return Path(folder, "ray", "ray_current_cluster").read_text().strip() or None
    return None


async def _check_address(address: str) -> None:
    host, colon, port = address.rpartition(":")
    if "://" in address or not colon or not port.isdecimal() or "@" in host:
        # What stands before the `@`, or behind the `?`, may be a password.
        shown = quoted(address.rpartition("@")[2].partition("?")[0])
        raise ConfigurationError(
            f"{shown} is not an address of a Ray cluster: write HOST:PORT, as `ray start --head` "
            "prints it, and run the command on a node of the cluster"
        )
    try:
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError, OverflowError) as error:
        why = "it does not answer" if isinstance(error, TimeoutError) else first_line(error)
        raise _NoRayError(address, why) from None
    answer, said, code = b"", bytearray(), 1
    with suppress(OSError, TimeoutError):  # it may be busy
        writer.write(_GREETING)
        async with asyncio.timeout(_ANSWER_S):
            answer = await reader.read(len(_HTTP))
    writer.close()
    if answer == _HTTP:  # such as its dashboard
        raise _NoRayError(address, "what answers there is not Ray")
    # Ray itself would try for two minutes, and then end this process.
    looking = [sys.executable, "-P", "-m", "ray.scripts.scripts", "health-check"]
    process = await asyncio.create_subprocess_exec(
        *looking,
        *("--address", address, "--skip-version-check"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(_LOOK_S):
            async for line in process.stderr:
                said += line
            code = await process.wait()
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code and b"uthentication" in said:
        raise ConfigurationError(
            f"the Ray cluster at {address} asks for a token: set RAY_AUTH_MODE=token for this "
            "command, on a machine that has the cluster's token"
        )
    if code:
        raise _NoRayError(address, "what answers there is not Ray")
