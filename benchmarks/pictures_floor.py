"""Measure the floor with pictures: four exchanges a verdict by a bare client, each with a picture.

    python benchmarks/pictures_floor.py --base-url URL --verdicts 400 --in-flight 32 --images FOLDER

For each verdict a picture is read, hashed, copied as evidence and encoded once, as `safejury` has
to do it, and sent four times. See `floor.py` for what is left out. Prints one JSON line.
"""

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import msgspec
from floor import PERSONAS, Connection, Reply, new_event_loop
from ours import peak_mb

from safejury.agents import load_persona
from safejury.agents.ballot import BALLOT_SCHEMA, task

b64encode = import_module("pybase64" if find_spec("pybase64") else "base64").b64encode
_PICTURE = "@PICTURE@"


class PictureFloor:
    """Makes the calls of cases with pictures, with nothing around them.

    Args:
        free: The connections that no call uses; one for each call at a time.
        images: The pictures.
        copies: Where a copy of each goes.
    """

    def __init__(self, free: "list[PictureConnection]", images: list[Path], copies: Path) -> None:
        self._free = asyncio.Queue[PictureConnection]()
        for connection in free:
            self._free.put_nowait(connection)
        self._images = images
        self._copies = copies
        schema = {"name": BALLOT_SCHEMA.name, "schema": BALLOT_SCHEMA.schema, "strict": True}
        form = {"type": "json_schema", "json_schema": schema}
        self._jurors = [
            {"response_format": form, "system": task(load_persona(name))} for name in PERSONAS
        ]
        self.calls = 0

    async def work(self, numbers: list[int]) -> None:
        while numbers:
            number = numbers.pop()
            encoded = self._encoded(self._images[number % len(self._images)])
            answer = await self._ask({}, f"Question {number}: what is on it?", encoded)
            words = f"Question {number}. The answer was: {answer}"
            await asyncio.gather(*(self._ask(juror, words, encoded) for juror in self._jurors))
            self.calls += 4

    def _encoded(self, image: Path) -> bytes:
        content = image.read_bytes()
        copy = self._copies / hashlib.sha256(content).hexdigest()
        if not copy.exists():
            copy.write_bytes(content)
        return b64encode(content)

    async def _ask(self, fields: Mapping[str, object], words: str, encoded: bytes) -> str:
        url = f"data:image/png;base64,{_PICTURE}"
        parts = [
            {"type": "image_url", "image_url": {"url": url}},
            {"type": "text", "text": words},
        ]
        said = {"model": "scripted", **fields, "messages": [{"role": "user", "content": parts}]}
        before, _, after = msgspec.json.encode(said).partition(_PICTURE.encode())
        connection = await self._free.get()
        reply = await connection.ask_in_pieces((before, encoded, after))
        self._free.put_nowait(connection)
        return msgspec.json.decode(reply, type=Reply).choices[0].message.content


class PictureConnection(Connection):
    """A connection whose requests come in pieces, of which none is copied."""

    def ask_in_pieces(self, pieces: tuple[bytes | memoryview, ...]) -> asyncio.Future[bytes]:
        self._answer = asyncio.get_running_loop().create_future()
        head = b"%b%d\r\n\r\n" % (self._head, sum(map(len, pieces)))
        self._transport.writelines((head, *pieces))
        return self._answer


async def measure(options: argparse.Namespace, copies: Path) -> dict[str, float]:
    """Judge all cases and return the measurements."""
    url = urlsplit(cast("str", options.base_url))
    head = (
        f"POST {url.path}/chat/completions HTTP/1.1\r\nHost: {url.netloc}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    loop = asyncio.get_running_loop()
    began, started = time.process_time(), time.perf_counter()
    free: list[PictureConnection] = []
    for _ in range(options.in_flight):
        made = await loop.create_connection(
            lambda: PictureConnection(head), url.hostname or "127.0.0.1", url.port or 80
        )
        free.append(made[1])
    floor = PictureFloor(free, sorted(options.images.glob("*.png")), copies)
    numbers = list(range(options.verdicts))
    async with asyncio.TaskGroup() as group:
        for _ in range(options.in_flight):
            group.create_task(floor.work(numbers))
    return {
        "cpu_s": time.process_time() - began,
        "wall_s": time.perf_counter() - started,
        "verdicts": options.verdicts,
        "calls": floor.calls,
        "peak_mb": peak_mb(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--verdicts", type=int, required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    parser.add_argument("--images", type=Path, required=True)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="safejury-bench-") as copies,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        took = runner.run(measure(options, Path(copies)))
    sys.stdout.write(json.dumps(took) + "\n")


if __name__ == "__main__":
    main()
