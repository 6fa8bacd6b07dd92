"""What a run and a batch open alike: the record, and the ways to the models."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, closing
from glob import escape
from importlib.metadata import version

import msgspec

from ...assembly.config import limits_of_places
from ...models import (
    Budget,
    ModelRegistry,
    ModelSpec,
    PlaceLimits,
    ResponseCache,
    RetryPolicy,
    redactor,
)
from ...targets import Fleet
from ..metrics import Limits
from ..plan import Setup, lasting_notes
from ..record import Record, RecordReader, open_record


def open_run_record(
    setup: Setup, *, unbound: Sequence[str] = ()
) -> AbstractAsyncContextManager[Record]:
    """Open a run's record; see `open_record`.

    Args:
        setup: The run.
        unbound: The models that its limit of money does not bind.
    """
    meta = {**_meta(setup), **_said(setup), "unbound": msgspec.json.encode(unbound).decode()}
    return open_record(setup.directory, setup.identity(), meta)


def _meta(setup: Setup) -> dict[str, str]:
    seats = msgspec.json.encode(setup.jury.infos).decode()
    return {
        "version": version("safejury"),
        "name": setup.config.run.name,
        "protocol": setup.jury.protocol.name,
        "jury": seats,
        "embedded": "yes" if setup.uses_embedded else "no",
        "total": str(setup.total),
        "planned": setup.plan.as_json(),
        "limits": msgspec.json.encode(
            Limits(setup.config.limits.max_tokens_total, setup.config.limits.max_cost_usd)
        ).decode(),
        "used": msgspec.json.encode(setup.used()).decode(),
        "notes": msgspec.json.encode([*lasting_notes(setup.recorded)]).decode(),
        **_priced_servers(setup),
    }


def _priced_servers(setup: Setup) -> dict[str, str]:
    """Return whose the servers are that cost by the hour: targets, none where jurors use them."""
    hosts = setup.hosts.items()
    priced = {
        use.name: [target for target, server in hosts if server == use.name]
        for use in setup.servers
        if use.per_gpu_hour is not None
    }
    return {"servers": msgspec.json.encode(priced).decode()} if priced else {}


def _said(setup: Setup) -> dict[str, str]:
    """Return the words of the user's own that models are told, which hashes alone cannot show."""
    said: dict[str, object] = {}
    if setup.jury.rubric is not None:
        said["rubric"] = setup.jury.rubric
    if setup.systems:
        said["systems"] = setup.systems
    return {
        key: redactor.redact(msgspec.json.encode(value).decode()) for key, value in said.items()
    }


def run_budget(setup: Setup, record: Record) -> Budget:
    """Return what a run may spend, with what it spent before.

    Args:
        setup: The run.
        record: Its record, which keeps what no reply tells.
    """
    limits = setup.config.limits
    budget = Budget(limits.max_tokens_total, limits.max_cost_usd, keep=record)
    if record.resumed:
        with closing(RecordReader(setup.directory)) as reader:
            budget.add_spent(*reader.spent())
    return budget


def run_registry(
    setup: Setup, record: Record, budget: Budget, stack: AsyncExitStack, fleet: Fleet | None
) -> ModelRegistry:
    """Return the ways to a run's models, within its limits and with its calls kept.

    Args:
        setup: The run.
        record: Keeps the calls.
        budget: What may be spent on them.
        stack: Closes the cache in the end.
        fleet: The managed servers, None where none is started.
    """
    limits = setup.config.limits
    cache = None
    if setup.config.run.cache is not None:
        cache = ResponseCache(setup.config.run.cache)
        stack.callback(cache.close)
    return ModelRegistry(
        limits=PlaceLimits(limits.concurrency, limits.requests_per_minute),
        places=limits_of_places(limits),
        policy=RetryPolicy(attempts=limits.attempts),
        outage_patience=limits.outage_patience,
        budget=budget,
        cache=cache,
        journal=record,
        managed=None if fleet is None else fleet.model,
        answered=_answered(setup, record),
    )


def _answered(setup: Setup, record: Record) -> frozenset[ModelSpec]:
    """Return the models that answered earlier in the run, so that none is taken for a mistake.

    While no case is finished, their addresses may have been changed since.
    """
    if not record.count_finished():
        return frozenset()
    jury = setup.jury
    calls = {f"*/{escape(name)}/*/target": spec for name, spec in setup.targets.items()}
    jurors = {f"*/r*/{escape(seat.info.seat)}/a*": seat.model for seat in jury.seats}
    made = {**calls, **jurors, "*/summary/foreperson/a*": jury.foreperson}
    with closing(RecordReader(setup.directory)) as reader:
        return frozenset(
            spec for like, spec in made.items() if spec is not None and reader.has_call(like)
        )
