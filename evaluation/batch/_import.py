"""Imports the replies of a batch into a run's record, where the run finds them."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import msgspec

from ...common import BadReplyError, ConfigurationError
from ...common.text import numbered_lines, quoted
from ...models import FILTERED_REPLY, Completion, ModelSpec, Price, find_price, read_reply
from ..plan import RunPlan
from ..record import RunRecord
from ._batch import BatchCall, RequestCollector
from ._expected import ExpectedRequest, ExpectedRequests
from ._id import CustomId
from ._open import open_run

_LONGEST_LINE = 16 * 2**20
_NULL = b"null"
_SHOWN = 20

LineStatus = Literal["imported", "known", "twice", "stale", "unknown", "failed", "broken"]
"""The status of a line: its reply was imported; was imported before; came twice; belongs to
an earlier version of the request; belongs to no request of this run; is an error; is not a
line of a batch's output."""

_WORDS: dict[LineStatus, str] = {
    "twice": "duplicate, the first reply stays",
    "stale": "for an earlier version of the request",
    "unknown": "for no request of this run",
    "failed": "failed",
    "broken": "not a line of a batch's output",
}


@dataclass(slots=True)
class Imported:
    """The result of an import.

    Attributes:
        lines: Number of lines by status.
        problems: Why the first rejected lines were rejected.
        expected: Round-0 calls of the run that a batch can answer.
        answered: Those of them that have a reply now.
    """

    lines: Counter[LineStatus] = field(default_factory=Counter[LineStatus])
    problems: list[str] = field(default_factory=list[str])
    expected: int = 0
    answered: int = 0

    def enter(self, status: LineStatus, where: str, why: str = "") -> None:
        """Count a line, and list it as a problem if it was rejected."""
        self.lines[status] += 1
        if status in _WORDS and len(self.problems) < _SHOWN:
            said = f": {why}" if why else ""
            self.problems.append(f"{where}: {_WORDS[status]}{said}")

    @property
    def rejected(self) -> int:
        """Number of rejected lines, not counting replies imported before."""
        return sum(self.lines[status] for status in _WORDS)

    def reasons(self) -> str:
        """Return the number of rejected lines by reason; empty where none was."""
        counts = ((self.lines[status], words) for status, words in _WORDS.items())
        return "; ".join(f"{number} {words}" for number, words in counts if number)


async def import_batch(
    plan: RunPlan, files: Sequence[Path], *, price_factor: float = 0.5
) -> Imported:
    """Import the replies of a batch into a run's record; doing it twice changes nothing.

    Args:
        plan: The run whose requests were exported.
        files: The batch's output and error files, or those of `vllm run-batch`.
        price_factor: Price of a batch as a share of the live price.

    Raises:
        ConfigurationError: A file cannot be read, no line is the reply to a request
            of this run, or another process writes to the record.
    """
    for path in files:
        _check_readable(path)
    done = Imported()
    with closing(ExpectedRequests()) as expected:
        async with open_run(plan, ask=False) as opened:
            calls = _CallCollector(opened.record, expected)
            collector = RequestCollector(plan, opened, calls.take)
            await collector.collect(lambda trial, outcome: None, finished=True)
            prices = {spec: await find_price(spec) for spec in calls.specs}
            reader = _Reader(opened.record, expected, calls.specs, prices, price_factor)
            for path in files:
                for number, line in _lines(path):
                    reader.read(line, f"{path.name}:{number}", done)
                    await asyncio.sleep(0)  # Ctrl-C and the record's failures need a turn
            done.expected, done.answered = expected.counts()
    if not done.lines["imported"] + done.lines["known"]:
        first = f"; the first is {done.problems[0]}" if done.problems else ""
        raise ConfigurationError(
            f"no reply could be imported: {done.reasons() or 'the files are empty'}{first}. "
            "Give the output of a batch that export-batch wrote for this config."
        )
    return done


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise _unreadable(path, error) from None


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield the non-blank lines of a file, None for a line that is too long."""
    try:
        for number, line in numbered_lines(path, _LONGEST_LINE):
            if line is None or line.strip():
                yield number, line
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{path}: cannot be read ({error.strerror}): name the output file of a batch"
    )


class _CallCollector:
    """Collects each call of the run, and whether the record has its reply."""

    def __init__(self, record: RunRecord, expected: ExpectedRequests) -> None:
        self._record = record
        self._expected = expected
        self.specs: list[ModelSpec] = []

    def take(self, call: BatchCall) -> None:
        if call.spec not in self.specs:
            self.specs.append(call.spec)
        call_id = call.request.call_id
        answered = self._record.find(call_id, call.key) is not None
        spec = self.specs.index(call.spec)
        self._expected.add(call.tag, ExpectedRequest(call_id, call.key, spec, answered))


class _Body(msgspec.Struct):
    status_code: int = 200
    body: msgspec.Raw = msgspec.Raw(_NULL)


class _Line(msgspec.Struct):
    custom_id: str
    response: _Body | None = None
    error: msgspec.Raw = msgspec.Raw(_NULL)


class _Reader:
    """Imports the lines of a batch's output."""

    def __init__(
        self,
        record: RunRecord,
        expected: ExpectedRequests,
        specs: Sequence[ModelSpec],
        prices: Mapping[ModelSpec, Price | None],
        price_factor: float,
    ) -> None:
        self._record = record
        self._expected = expected
        self._specs = specs
        self._prices = prices
        self._factor = price_factor
        self._decoder = msgspec.json.Decoder(_Line)

    def read(self, raw: bytes | None, where: str, done: Imported) -> None:
        """Import one line, None for one that is too long."""
        if raw is None:
            done.enter("broken", where, f"longer than {_LONGEST_LINE // 2**20} MiB")
            return
        try:
            line = self._decoder.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            done.enter("broken", where, quoted(str(error)))
            return
        named = CustomId.parse(line.custom_id)
        request = self._expected.find(named.tag)
        if request is None or not named.digits:
            done.enter("unknown", where, quoted(line.custom_id))
        elif not named.asks(request.key):
            done.enter("stale", where, quoted(line.custom_id))
        elif request.answered:
            done.enter("twice" if request.here else "known", where, quoted(line.custom_id))
        else:
            self._take(line, named, request, where, done)

    def _take(
        self, line: _Line, named: CustomId, request: ExpectedRequest, where: str, done: Imported
    ) -> None:
        read = _completion(line)
        if isinstance(read, str):
            done.enter("failed", where, f"{quoted(line.custom_id)}, {read}")
            return
        price = self._prices[self._specs[request.spec]]
        usd = None if price is None else price.of(read.usage)
        completion = replace(
            read,
            notes=(*read.notes, *named.notes),
            cost_usd=None if usd is None else usd * self._factor,
        )
        self._record.write(request.call_id, request.key, completion)
        self._expected.answer(named.tag)
        done.enter("imported", where)


def _completion(line: _Line) -> Completion | str:
    """Return the completion in a line, or the error in it."""
    answer = line.response
    status = 0 if answer is None else answer.status_code
    body = _NULL if answer is None else bytes(answer.body)
    if body == _NULL:
        body = bytes(line.error)
        status = 0 if status == 200 else status
    try:
        read = read_reply(status, body)
    except BadReplyError as error:
        return str(error)
    if isinstance(read, Completion):
        return read
    if read.complaint.filtered:
        return FILTERED_REPLY
    said = quoted(read.complaint.text) if body != _NULL else "no error message"
    return f"{f'HTTP {status}: ' if status else ''}{said}"
