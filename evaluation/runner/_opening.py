"""Opens the record, targets and models of a run or batch."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from glob import escape
from importlib.metadata import version

import msgspec
import yaml

from ...agents import prompt_hashes
from ...assembly.models import ManagedServers, OpenModels, open_models
from ...common.files import atomic_write, write_error
from ...datasets import LoadedSet
from ...models import (
    ChatModel,
    ModelSource,
    ModelSpec,
    redactor,
)
from ...targets import ModelTargetSpec, Target
from ..growth import growth_of
from ..metrics import Limits
from ..plan import (
    RunPlan,
    card_notes,
    identity_of,
    lasting_notes,
    write_skipped_items,
    write_skipped_rows,
)
from ..record import Grown, RecordReader, RunRecord, open_record
from ..trials import UsedInput


def open_run_record(
    plan: RunPlan, *, unbound: Sequence[str] = (), tell: Callable[[str], None] = lambda _: None
) -> AbstractAsyncContextManager[RunRecord]:
    """Open a run's record, which may take more cases than before; see `open_record`.

    Args:
        plan: The run.
        unbound: The models to which its cost limit does not apply.
        tell: Told what is added.
    """
    meta = {**_meta(plan), **_said(plan), "unbound": msgspec.json.encode(unbound).decode()}

    async def grow(reader: RecordReader) -> Grown | None:
        growth = await growth_of(reader, plan, meta)
        if growth is None:
            return None
        for line in growth.changes():
            tell(line)
        return growth.grown

    where = plan.directory, identity_of(plan), meta
    if plan.options.record is None:
        return open_record(*where, grow=grow)
    from ..record.drivers import open_shared_record  # few runs need it

    return open_shared_record(*where, said=plan.options.record, grow=grow, tell=tell)


@asynccontextmanager
async def begin_run(
    plan: RunPlan, *, unbound: Sequence[str], retry_failed: bool, tell: Callable[[str], None]
) -> AsyncGenerator[RunRecord]:
    """Open the record of a run to finish it, and write the files next to it.

    Args:
        plan: The run.
        unbound: The models to which its cost limit does not apply.
        retry_failed: See `run`.
        tell: Told what is added to a run that was begun.
    """
    async with open_run_record(plan, unbound=unbound, tell=tell) as record:
        if retry_failed:
            record.retry_failed(trial.case_id for trial in plan.trials())
            await record.settle()  # calls that are made again are gone by now
        _write_config(plan)
        write_skipped_rows(plan.directory, plan.recorded, record.left)
        write_skipped_items(plan.directory, plan.selection.dataset)
        yield record


def _write_config(plan: RunPlan) -> None:
    """Write the resolved config next to the record."""
    text = yaml.safe_dump(plan.config, sort_keys=False, allow_unicode=True)
    path = plan.directory / "run.yaml"
    try:
        with atomic_write(path, private=True) as file:
            file.write(text.encode())
    except OSError as error:
        raise write_error(path, error) from None


def _meta(plan: RunPlan) -> dict[str, str]:
    seats = msgspec.json.encode(plan.jury.infos).decode()
    return {
        "version": version("safejury"),
        "name": plan.options.name,
        "protocol": plan.jury.protocol.name,
        "jury": seats,
        "embedded": "yes" if plan.uses_embedded else "no",
        "total": str(plan.total),
        "planned": plan.planned.as_json(),
        "limits": msgspec.json.encode(
            Limits(plan.limits.max_tokens_total, plan.limits.max_cost_usd)
        ).decode(),
        "used": msgspec.json.encode(_used(plan)).decode(),
        "notes": msgspec.json.encode([*lasting_notes(plan.recorded), *card_notes(plan)]).decode(),
        **_selected(plan),
        **_priced_servers(plan),
        **_talk_audit(plan),
    }


def _selected(plan: RunPlan) -> dict[str, str]:
    """Return how many queries were selected, and how: so that more hold them."""
    earlier = plan.selection.earlier
    selected = {"selected": msgspec.json.encode(earlier).decode()} if earlier else {}
    return {"queries": str(len(plan.selection)), **selected}


def _used(plan: RunPlan) -> UsedInput:
    """Return the numbers of items and rows that the run uses."""
    dataset = plan.selection.dataset
    items = len(dataset) if isinstance(dataset, LoadedSet) else 0
    return UsedInput(items, {name: len(target) for name, target in plan.recorded.items()})


def _talk_audit(plan: RunPlan) -> dict[str, str]:
    """Return how a talk is audited, which is no part of the identity: no verdict depends on it."""
    if not plan.options.audit_talk:
        return {}
    prompts = prompt_hashes(audits=True).items() - prompt_hashes().items()
    said = {"cases": plan.options.audit_talk, "prompts": dict(prompts)}
    return {"talk_audit": msgspec.json.encode(said).decode()}


def open_targets(plan: RunPlan, models: ModelSource) -> list[Target]:
    """Open the targets of a run, in order."""
    media = plan.media
    return [
        target.open(models, media) if isinstance(target, ModelTargetSpec) else target
        for target in plan.targets
    ]


def _priced_servers(plan: RunPlan) -> dict[str, str]:
    """Return the targets of servers with an hourly price; none where jurors use them."""
    hosts = plan.hosts.items()
    priced = {
        use.name: [target for target, server in hosts if server == use.name]
        for use in plan.servers
        if use.per_gpu_hour is not None
    }
    return {"servers": msgspec.json.encode(priced).decode()} if priced else {}


def _said(plan: RunPlan) -> dict[str, str]:
    """Return the user's texts for models, of which the identity has only hashes, and facts."""
    said: dict[str, object] = {}
    if plan.jury.rubric is not None:
        said["rubric"] = plan.jury.rubric
    if plan.jury.protocol.rule.card is not None:
        said["card"] = plan.jury.protocol.rule.card
    if plan.systems:
        said["systems"] = plan.systems
    if plan.facts:
        said["facts"] = plan.facts
    return {
        key: redactor.redact(msgspec.json.encode(value).decode()) for key, value in said.items()
    }


def open_run_models(
    plan: RunPlan,
    record: RunRecord,
    servers: ManagedServers | None = None,
    *,
    traced: Callable[[ChatModel, ModelSpec | None], ChatModel] | None = None,
    lends: bool = False,
) -> AbstractAsyncContextManager[OpenModels]:
    """Open a run's models, with its stored calls and earlier costs.

    Args:
        plan: The run.
        record: Its record.
        servers: Its managed servers, None where none is started.
        traced: Wraps models in what records their calls; None records none.
        lends: Whether workers of other processes get a part of limits and budget each.
    """
    return open_models(
        plan.limits,
        servers=servers,
        calls=record,
        spent=cost_so_far(plan) if record.resumed else None,
        cache=plan.options.cache,
        answered=proven_models(plan, record),
        traced=traced,
        lends=lends,
    )


def cost_so_far(plan: RunPlan) -> tuple[int, float, int]:
    """Return the cost of a run so far, estimated charges included."""
    with closing(RecordReader(plan.directory)) as reader:
        return reader.total_cost()


def proven_models(plan: RunPlan, record: RunRecord) -> frozenset[ModelSpec]:
    """Return the models that replied earlier in the run, which cannot be configured wrongly.

    While no case is finished, their addresses may have been changed since.
    """
    if not record.count_finished():
        return frozenset()
    jury = plan.jury
    calls = {f"*/{escape(name)}/*/target": each.model for name, each in plan.asked.items()}
    jurors = {f"*/r*/{escape(seat.info.seat)}/a*": seat.model for seat in jury.seats}
    made = {**calls, **jurors, "*/summary/foreperson/a*": jury.foreperson}
    with closing(RecordReader(plan.directory)) as reader:
        return frozenset(
            spec for like, spec in made.items() if spec is not None and reader.has_call(like)
        )
