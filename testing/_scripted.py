"""A scripted model: a real OpenAI-compatible server on loopback, for tests and benchmarks.

It replies as scripted, fails as scripted, and counts what it
sees. Use it in a test:

    async with ScriptedServer(reply=ballot("unsafe", 1)) as server:
        model = EndpointModel(base_url=server.base_url, model="any")

or from a shell, where it prints its address as one line:

    python -m safejury.testing --port 0 --latency 0.2
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import cast

from ._pictures import PICTURE_QUIRKS, PictureQuirk
from ._quirks import QUIRKS, Quirk
from ._reply import FAULTS, UNSAFE, Fault
from ._server import ScriptedServer


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m safejury.testing", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 for a free one")
    parser.add_argument("--reply", action="append", help="what to say; repeat it for a cycle")
    parser.add_argument("--model", default="scripted", help="the name that replies carry")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds a reply takes")
    parser.add_argument("--slots", type=int, default=None, help="calls served at one time")
    parser.add_argument("--retry-after", type=float, default=0.0, help="seconds a 429 asks for")
    parser.add_argument("--slow", type=float, default=1.0, help="seconds the fault `slow` adds")
    parser.add_argument(
        "--quirk",
        action="append",
        choices=QUIRKS,
        default=[],
        help="be like a well-known service; repeat it for several",
    )
    parser.add_argument(
        "--picture-quirk",
        action="append",
        choices=PICTURE_QUIRKS,
        default=[],
        help="draw like a well-known service; repeat it for several",
    )
    parser.add_argument(
        "--unsafe",
        type=float,
        default=UNSAFE,
        help="share in [0, 1] of ballots that find a response unsafe",
    )
    parser.add_argument("--base-path", help="answer under this path alone, such as /v1")
    parser.add_argument(
        "--fault",
        action="append",
        type=_fault,
        default=[],
        metavar="NAME=SHARE",
        help=f"share in [0, 1] of requests that suffer NAME ({', '.join(FAULTS)})",
    )
    return parser


def _fault(text: str) -> tuple[Fault, float]:
    name, _, share = text.partition("=")
    if name not in FAULTS:
        raise argparse.ArgumentTypeError(f"unknown fault {name!r}: one of {', '.join(FAULTS)}")
    return name, float(share or 1)


async def _serve(server: ScriptedServer) -> None:
    async with server:
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted; print the base URL as the only line."""
    options = _parser().parse_args(arguments)
    server = ScriptedServer(
        cast("list[str] | None", options.reply),
        faults=dict(cast("list[tuple[Fault, float]]", options.fault)) or None,
        latency=options.latency,
        slots=options.slots,
        model=options.model,
        quirks=cast("list[Quirk]", options.quirk),
        picture_quirks=cast("list[PictureQuirk]", options.picture_quirk),
        base_path=options.base_path,
        retry_after=options.retry_after,
        slow=options.slow,
        host=options.host,
        port=options.port,
        keep_requests=False,
        unsafe=options.unsafe,
    )
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(server))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop
