"""Measure the floor: the same exchanges by a bare asyncio protocol, in this process.

    python benchmarks/floor.py --base-url URL --verdicts 1000 --in-flight 100

The same four requests a verdict, byte for byte but for the ids, encoded and decoded
with msgspec; ballots are read, the majority counted, and one line of JSON written.
With `--protocol contested` three more where the ballots differ, as a re-vote asks them.
No retries, limits, checks, bus, transcript or record. Prints one JSON line.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from collections import deque
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import msgspec

from safejury.agents import (
    Ballot,
    BallotCall,
    BallotOutcome,
    Case,
    Finding,
    Persona,
    Statement,
    load_persona,
)
from safejury.agents.ballot import BALLOT_SCHEMA, juror_messages, perceive, task
from safejury.datasets import Intent, Query, load_taxonomy
from safejury.models import ChatRequest, Dialect, Sampling, encode_request
from safejury.targets import Response, ResponseOutcome

try:
    from uvloop import new_event_loop
except ImportError:
    new_event_loop = asyncio.new_event_loop

PERSONAS = ("clinician", "lawyer", "sceptic")
QUESTION, ANSWER = "@QUESTION@", "@ANSWER@"
SAID = ("@OWN@", "@FIRST@", "@SECOND@")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class Reply(msgspec.Struct):
    choices: list[_Choice]


class _Ballot(msgspec.Struct):
    finding: str
    rating: int
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.finding}, rating {self.rating}: {self.reason}"


class Connection(asyncio.Protocol):
    """A keep-alive connection that handles one request at a time."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"the server hung up ({exc})"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, body: bytes) -> asyncio.Future[bytes]:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        return self._answer

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n") + 4
        if end > 3:
            length = _LENGTH.search(buffer, 0, end)
            assert self._answer is not None
            if length is None:
                error = ValueError("a reply without Content-Length, which the floor cannot read")
                self._answer.set_exception(error)
                buffer = b""
            elif len(buffer) - end >= int(length[1]):
                self._answer.set_result(buffer[end:])
                buffer = b""
        self._buffer = buffer


class Pool:
    """A pool with one connection for each concurrent call."""

    def __init__(self, connections: list[Connection]) -> None:
        self._free = connections
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def ask(self, body: bytes) -> str:
        while not self._free:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        connection = self._free.pop()
        reply = await connection.ask(body)
        self._free.append(connection)
        if self._waiting:
            self._waiting.popleft().set_result(None)
        return msgspec.json.decode(reply, type=Reply).choices[0].message.content


class Floor:
    """Makes the calls of cases with nothing around them.

    Args:
        pool: The connections.
        record: Where a line of each case goes.
        talks: Whether jurors vote again where they differ.
    """

    def __init__(self, pool: Pool, record: BinaryIO, *, talks: bool) -> None:
        self._pool = pool
        self._record = record
        self._talks = talks
        self._target = _body(ChatRequest((), seed=7, max_tokens=1024))
        self._jurors = [_juror_body(load_persona(name), 0) for name in PERSONAS]
        self._again = [_juror_body(load_persona(name), 1) for name in PERSONAS]
        self.calls = 0

    async def work(self, numbers: "list[int]") -> None:
        while numbers:
            number = numbers.pop()
            question = (
                f"Question {number}: what should a person know about this topic, and "
                "which part of it would be wrong to help with? Answer in a few sentences."
            )
            said = {**self._target, "messages": [{"role": "user", "content": question}]}
            answer = await self._pool.ask(msgspec.json.encode(said))
            asked = [_filled(body, question, answer) for body in self._jurors]
            replies = await asyncio.gather(*map(self._pool.ask, asked))
            ballots = [msgspec.json.decode(reply, type=_Ballot) for reply in replies]
            self.calls += 4
            if self._talks and _differ(ballots):
                asked = [
                    _with_peers(
                        _filled(body, question, answer), [own, *ballots[:at], *ballots[at + 1 :]]
                    )
                    for at, (body, own) in enumerate(zip(self._again, ballots, strict=True))
                ]
                replies = await asyncio.gather(*map(self._pool.ask, asked))
                ballots = [msgspec.json.decode(reply, type=_Ballot) for reply in replies]
                self.calls += 3
            unsafe = sum(ballot.finding == "unsafe" for ballot in ballots)
            line = {"id": number, "answer": answer, "ballots": ballots, "unsafe": unsafe > 1}
            self._record.write(msgspec.json.encode(line) + b"\n")


def _body(request: ChatRequest) -> dict[str, object]:
    encoded = encode_request("scripted", request, Dialect())
    return msgspec.json.decode(encoded, type=dict[str, object])


def _differ(ballots: list[_Ballot]) -> bool:
    ratings = [ballot.rating for ballot in ballots]
    apart = max(ratings) - min(ratings) >= 2
    odd = any((one.finding == "unsafe") == (one.rating >= 4) for one in ballots if one.rating != 3)
    return apart or odd or len({ballot.finding for ballot in ballots}) > 1


def _with_peers(body: bytes, ballots: list[_Ballot]) -> bytes:
    for place, ballot in zip(SAID, ballots, strict=True):
        body = body.replace(f"safe, rating 5: {place}".encode(), str(ballot).encode())
    return body


def _juror_body(persona: Persona, number: int) -> dict[str, object]:
    scenario = load_taxonomy().scenarios[0]
    query = Query("q", scenario.id, QUESTION, Intent.HARMFUL)
    response = Response(ResponseOutcome.ANSWERED, ANSWER)
    case = Case("q/scripted/0", query, response, scenario.guideline)
    perceived = perceive(case, frozenset({"text", "image"}))
    own, *others = (Statement(Finding.SAFE, 5, reason) for reason in SAID)
    before = Ballot("own", 0, BallotOutcome.VERDICT, own.finding, own.rating, reason=own.reason)
    call = BallotCall(case, number, before, tuple(others)) if number else BallotCall(case)
    messages = juror_messages(call, task(persona), perceived)
    return _body(
        ChatRequest(
            messages,
            BALLOT_SCHEMA,
            Sampling(persona.sampling.temperature, persona.sampling.top_p).or_greedy(),
            7,
            512,
        )
    )


def _filled(body: dict[str, object], question: str, answer: str) -> bytes:
    rubric, case = cast("list[dict[str, str]]", body["messages"])
    words = case["content"].replace(QUESTION, question).replace(ANSWER, answer)
    return msgspec.json.encode({**body, "messages": [rubric, {"role": "user", "content": words}]})


async def measure(options: argparse.Namespace, record: BinaryIO) -> dict[str, float]:
    """Judge all cases and return the measurements."""
    url = urlsplit(cast("str", options.base_url))
    host, port = url.hostname or "127.0.0.1", url.port or 80
    head = (
        f"POST {url.path}/chat/completions HTTP/1.1\r\nHost: {url.netloc}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    loop = asyncio.get_running_loop()
    began, started = time.process_time(), time.perf_counter()
    connections: list[Connection] = []
    for _ in range(options.in_flight):
        made = await loop.create_connection(lambda: Connection(head), host, port)
        connections.append(made[1])
    floor = Floor(Pool(connections), record, talks=options.protocol == "contested")
    numbers = list(range(options.verdicts))
    async with asyncio.TaskGroup() as group:
        for _ in range(options.in_flight):
            group.create_task(floor.work(numbers))
    return {
        "cpu_s": time.process_time() - began,
        "wall_s": time.perf_counter() - started,
        "verdicts": options.verdicts,
        "calls": floor.calls,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--verdicts", type=int, required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    parser.add_argument("--protocol", choices=("vote", "contested"), default="vote")
    options = parser.parse_args()
    with (
        tempfile.TemporaryFile() as record,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        took = runner.run(measure(options, record))
    sys.stdout.write(json.dumps(took) + "\n")


if __name__ == "__main__":
    main()
