"""The run: every query to every target, each case to the jury, all into the record."""

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version

import msgspec
import yaml

from ..datasets import RecordError
from ..deliberation import Jury
from ..models import Budget, ResponseCache, RetryPolicy, Switchboard
from ._examiner import Examiner
from ._record import Record, open_record
from ._record_reader import RecordReader
from ._session import Observer, Session
from ._setup import Setup
from ._staging import Stage


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        cases: Cases finished, earlier ones included.
        verdicts: Those with a verdict.
        seconds: Wall time of this process.
    """

    cases: int
    verdicts: int
    seconds: float

    @property
    def coverage(self) -> float:
        """Verdicts divided by cases, in [0, 1]; 0 where there is no case."""
        return self.verdicts / self.cases if self.cases else 0.0


async def run(
    setup: Setup, observer: Observer | None = None, *, retry_failed: bool = False
) -> RunOutcome:
    """Finish a run: all that its record does not hold yet.

    Cancelling it is safe at any moment; the same call goes on where it ended.

    Args:
        setup: What to run.
        observer: Is told of progress.
        retry_failed: Hear finished cases again that failed calls or the budget left
            without a verdict.

    Raises:
        ConfigurationError: A model never answered, or the record cannot be used.
    """
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        record = await stack.enter_async_context(
            open_record(setup.directory, setup.identity(), _meta(setup))
        )
        if retry_failed:
            record.forget_failed()
        _write_config(setup)
        switchboard = await stack.enter_async_context(_switchboard(setup, record, stack))
        jury = await stack.enter_async_context(
            Jury(
                setup.bench.seat(switchboard),
                setup.bench.protocol,
                foreperson=setup.bench.summing_model(switchboard),
                seed=setup.config.run.seed,
                clerk=record.write_entry,
            )
        )
        examiner = Examiner(setup.open_targets(switchboard), jury, Stage(record))
        await Session(setup, record, examiner, None, observer).work(switchboard)
    counts = _count(setup)
    return RunOutcome(*counts, time.monotonic() - begun)


def _switchboard(setup: Setup, record: Record, stack: AsyncExitStack) -> Switchboard:
    limits = setup.config.limits
    budget = Budget(limits.max_tokens_total, limits.max_cost_usd)
    if record.resumed:
        reader = RecordReader(setup.directory)
        budget.add_spent(*reader.spent())
        reader.close()
    cache = None
    if setup.config.run.cache is not None:
        cache = ResponseCache(setup.config.run.cache)
        stack.callback(cache.close)
    return Switchboard(
        concurrency=limits.concurrency,
        requests_per_minute=limits.requests_per_minute,
        policy=RetryPolicy(attempts=limits.attempts),
        budget=budget,
        cache=cache,
        journal=record,
    )


def _meta(setup: Setup) -> dict[str, str]:
    seats = msgspec.json.encode(setup.bench.infos).decode()
    return {
        "version": version("safejury"),
        "name": setup.config.run.name,
        "protocol": setup.bench.protocol.name,
        "jury": seats,
        "embedded": "yes" if setup.uses_embedded else "no",
        "total": str(setup.total),
    }


def _write_config(setup: Setup) -> None:
    """Write the resolved config beside the record."""
    text = yaml.safe_dump(setup.plain(), sort_keys=False, allow_unicode=True)
    path = setup.directory / "run.yaml"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RecordError(
            f"{path}: cannot be written ({error.strerror}): free some space or mend the "
            "directory, then repeat the command."
        ) from None


def _count(setup: Setup) -> tuple[int, int]:
    reader = RecordReader(setup.directory)
    try:
        return reader.counts()
    finally:
        reader.close()
