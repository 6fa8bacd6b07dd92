"""Takes the answers of a batch into a run's record, where the run finds them."""

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
from ..record import Record
from ._batch import BatchCall, Walk
from ._id import CustomId
from ._open import open_run
from ._questions import Question, Questions

_LONGEST_LINE = 16 * 2**20
_NULL = b"null"
_SHOWN = 20

Fate = Literal["taken", "known", "twice", "stale", "unknown", "failed", "broken"]
"""What became of a line: its answer is in the record now; was there before; came twice;
is to an earlier version of the request; is to no request of this run; is an error; is no
line of a batch's output."""

_WORDS: dict[Fate, str] = {
    "twice": "answered twice, the first answer stays",
    "stale": "to an earlier version of the question",
    "unknown": "to no question of this run",
    "failed": "failed",
    "broken": "not a line of a batch's output",
}


@dataclass(slots=True)
class Imported:
    """What became of a batch's answers.

    Attributes:
        lines: Lines read, by what became of them.
        problems: What is wrong with the first lines that were not taken.
        expected: Round-0 calls of the run that a batch can answer.
        answered: Those of them that have an answer now.
    """

    lines: Counter[Fate] = field(default_factory=Counter[Fate])
    problems: list[str] = field(default_factory=list[str])
    expected: int = 0
    answered: int = 0

    def enter(self, fate: Fate, where: str, why: str = "") -> None:
        """Count a line; say where it is if it was not taken."""
        self.lines[fate] += 1
        if fate in _WORDS and len(self.problems) < _SHOWN:
            said = f": {why}" if why else ""
            self.problems.append(f"{where}: {_WORDS[fate]}{said}")

    @property
    def not_taken(self) -> int:
        """How many lines were not taken, those that were known left out."""
        return sum(self.lines[fate] for fate in _WORDS)

    def in_words(self) -> str:
        """Say how many lines were not taken, by the reason; empty where all were."""
        counts = ((self.lines[fate], words) for fate, words in _WORDS.items())
        return "; ".join(f"{number} {words}" for number, words in counts if number)


async def import_batch(
    plan: RunPlan, files: Sequence[Path], *, price_factor: float = 0.5
) -> Imported:
    """Take the answers of a batch into a run's record; doing it twice changes nothing.

    Args:
        plan: The run whose requests were exported.
        files: The batch's output and error files, or those of `vllm run-batch`.
        price_factor: What a batch costs, as a share of the live price.

    Raises:
        ConfigurationError: A file cannot be read, none of the lines answers a request
            of this run, or another process writes to the record.
    """
    for path in files:
        _check_readable(path)
    done = Imported()
    with closing(Questions()) as questions:
        async with open_run(plan, ask=False) as opened:
            expectation = _Expectation(opened.record, questions)
            walk = Walk(plan, opened, expectation.take)
            await walk.go(lambda trial, outcome: None, finished=True)
            prices = {spec: await find_price(spec) for spec in expectation.specs}
            reader = _Reader(opened.record, questions, expectation.specs, prices, price_factor)
            for path in files:
                for number, line in _lines(path):
                    reader.read(line, f"{path.name}:{number}", done)
                    await asyncio.sleep(0)  # Ctrl-C and the record's failures need a turn
            done.expected, done.answered = questions.counts()
    if not done.lines["taken"] + done.lines["known"]:
        first = f"; the first is {done.problems[0]}" if done.problems else ""
        raise ConfigurationError(
            f"no answer could be taken: {done.in_words() or 'the files are empty'}{first}. "
            "Give the output of a batch that export-batch wrote for this config."
        )
    return done


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise _unreadable(path, error) from None


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield the lines of a file that are not blank, None for one that is too long."""
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


class _Expectation:
    """Notes each call that the run makes, and whether the record has its answer."""

    def __init__(self, record: Record, questions: Questions) -> None:
        self._record = record
        self._questions = questions
        self.specs: list[ModelSpec] = []

    def take(self, call: BatchCall) -> None:
        if call.spec not in self.specs:
            self.specs.append(call.spec)
        call_id = call.request.call_id
        answered = self._record.find(call_id, call.key) is not None
        spec = self.specs.index(call.spec)
        self._questions.add(call.tag, Question(call_id, call.key, spec, answered))


class _Body(msgspec.Struct):
    status_code: int = 200
    body: msgspec.Raw = msgspec.Raw(_NULL)


class _Line(msgspec.Struct):
    custom_id: str
    response: _Body | None = None
    error: msgspec.Raw = msgspec.Raw(_NULL)


class _Reader:
    """Reads the lines of a batch's output."""

    def __init__(
        self,
        record: Record,
        questions: Questions,
        specs: Sequence[ModelSpec],
        prices: Mapping[ModelSpec, Price | None],
        price_factor: float,
    ) -> None:
        self._record = record
        self._questions = questions
        self._specs = specs
        self._prices = prices
        self._factor = price_factor
        self._decoder = msgspec.json.Decoder(_Line)

    def read(self, raw: bytes | None, where: str, done: Imported) -> None:
        """Take in one line, None for one that is too long."""
        if raw is None:
            done.enter("broken", where, f"longer than {_LONGEST_LINE // 2**20} MiB")
            return
        try:
            line = self._decoder.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            done.enter("broken", where, quoted(str(error)))
            return
        named = CustomId.parse(line.custom_id)
        question = self._questions.find(named.tag)
        if question is None or not named.digits:
            done.enter("unknown", where, quoted(line.custom_id))
        elif not named.asks(question.key):
            done.enter("stale", where, quoted(line.custom_id))
        elif question.answered:
            done.enter("twice" if question.here else "known", where, quoted(line.custom_id))
        else:
            self._take(line, named, question, where, done)

    def _take(
        self, line: _Line, named: CustomId, question: Question, where: str, done: Imported
    ) -> None:
        read = _completion(line)
        if isinstance(read, str):
            done.enter("failed", where, f"{quoted(line.custom_id)}, {read}")
            return
        price = self._prices[self._specs[question.spec]]
        usd = None if price is None else price.of(read.usage)
        completion = replace(
            read,
            notes=(*read.notes, *named.notes),
            cost_usd=None if usd is None else usd * self._factor,
        )
        self._record.write(question.call_id, question.key, completion)
        self._questions.answer(named.tag)
        done.enter("taken", where)


def _completion(line: _Line) -> Completion | str:
    """Return what a line says the model returned, or why it returned nothing."""
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
    said = quoted(read.complaint.text) if body != _NULL else "nothing was said"
    return f"{f'HTTP {status}: ' if status else ''}{said}"
