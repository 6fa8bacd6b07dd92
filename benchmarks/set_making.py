"""Measure the effect of slow replies on `safejury generate`: `python benchmarks/set_making.py`.

A set with queries, benign twins and pictures is made with models at a scripted server, of whose
replies one in twenty takes twenty times as long as the others. Then a plain pool of as many
workers asks for the same again, call by call, with nothing to wait for but its own reply. Both
are timed at the server, from the first call to the last reply. Prints a row.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from safejury.testing import ScriptedReply, ScriptedServer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "generation"))
from dialogue_script import Script
from picture_stage import Talk, block

Body = Mapping[str, object]

IN_FLIGHT = 16
LATENCY, SLOWER, ONE_IN = 0.1, 20, 20  # seconds; times as long; of so many replies
MOST = 1.3


@dataclass(slots=True)
class Models:
    """All models of a set, which record their requests with times.

    Attributes:
        asked: The calls, with the path after `/v1` that each went to.
        began: When the first came, in seconds.
        ended: When the last reply went out, or will.
    """

    asked: list[tuple[str, Body]] = field(default_factory=list[tuple[str, Body]])
    began: float | None = None
    ended: float = 0.0

    def say(self, body: Body) -> ScriptedReply:
        player = Talk() if body["model"] in ("describer", "viewer") else Script("Sharper.")
        said = player(body)
        reply = ScriptedReply(said) if isinstance(said, str) else said
        return self._timed("chat/completions", body, reply)

    def draw(self, body: Body) -> ScriptedReply:
        picture = ScriptedReply(raw_body=_picture(body))
        return self._timed("images/generations", body, picture)

    def _timed(self, path: str, body: Body, reply: ScriptedReply) -> ScriptedReply:
        now, delay = time.monotonic(), _delay(body)
        self.asked.append((path, body))
        self.began = now if self.began is None else self.began
        self.ended = max(self.ended, now + delay)
        return replace(reply, delay=delay)

    @property
    def seconds(self) -> float:
        return self.ended - (self.began or 0.0)


def _delay(body: Body) -> float:
    """Return the delay of a call, the same for the same call from any caller."""
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    return LATENCY * (SLOWER if int.from_bytes(digest[:4]) % ONE_IN == 0 else 1)


def _picture(body: Body) -> bytes:
    drawn = base64.b64encode(block(f"{body['prompt']} {body['seed']}")).decode()
    return json.dumps({"created": 0, "data": [{"b64_json": drawn}]}).encode()


async def generate(folder: Path, per_scenario: int) -> Models:
    """Generate a set as a user does, in a separate process."""
    models = Models()
    async with ScriptedServer(models.say, pictures=models.draw) as server:
        config = folder / "set.yaml"
        config.write_text(json.dumps(_config(server.base_url, per_scenario)))
        command = ("-P", "-m", "safejury", "generate", str(config), "--until", "pictures")
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=folder, stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
        if process.returncode:
            sys.exit(said.decode())
    return models


def _config(url: str, per_scenario: int) -> dict[str, object]:
    def member(name: str) -> dict[str, object]:
        return {"base_url": url, "model": name, "price": 0}

    return {
        "purpose": "a benchmark",
        "taxonomy": "bundled",
        "panel": [{"name": name, **member(name)} for name in ("first", "second")],
        "generator": member("generator"),
        "queries": {"per_scenario": per_scenario, "over_generate": 2, "batch": 4, "revisions": 1},
        "twins": {"attempts": 1},
        "pictures": {
            "renderer": "endpoint",
            "base_url": url,
            "model": "painter",
            "price": 0,
            "size": 128,
            "describer": member("describer"),
            "viewer": {**member("viewer"), "images": True},
        },
        "limits": {"concurrency": IN_FLIGHT},
        "set": {"name": "made"},
    }


async def pool(calls: list[tuple[str, Body]]) -> Models:
    """Make the same calls with workers that never wait for each other."""
    models, left = Models(), iter(calls)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        ScriptedServer(models.say, pictures=models.draw) as server,
        aiohttp.ClientSession(connector=connector) as session,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(IN_FLIGHT):
            group.create_task(_work(session, server.base_url, left))
    return models


async def _work(session: aiohttp.ClientSession, url: str, left: Iterator[tuple[str, Body]]) -> None:
    for path, body in left:
        async with session.post(f"{url}/{path}", json=body) as reply:
            await reply.read()


def row(made: Models, pooled: Models) -> str:
    """Return a line of the table of `run.py`."""
    ratio = made.seconds / pooled.seconds
    met = "yes" if ratio <= MOST else "**no**"
    what = f"`generate` with 5 % slow replies / a plain pool of workers, {len(made.asked):,} calls"
    return (
        f"| {what} | {ratio:.2f} ({made.seconds:.1f} / {pooled.seconds:.1f} s) | "
        f"at most {MOST} | {met} |"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-scenario", type=int, default=16, help="queries of each of the 23")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safejury-bench-") as folder:
        made = await generate(Path(folder), options.per_scenario)
    print(row(made, await pool(made.asked)))


if __name__ == "__main__":
    asyncio.run(main())
