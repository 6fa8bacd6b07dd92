"""Opens what a worker needs: its jury, its targets, its models and its media."""

import asyncio
import hashlib
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from ...assembly.config import RunLimitsConfig
from ...assembly.models import OpenModels, open_models
from ...assembly.targets import function_target, named_function
from ...common import ConfigurationError, RecordError
from ...common.files import atomic_write, private_folder
from ...common.text import quoted
from ...datasets import ImageLimits, Media, MediaStore, Query, Taxonomy, read_taxonomy, with_media
from ...deliberation import RULES, Jury, JurySpec, jury_from_data
from ...models import (
    Charge,
    ChatModel,
    Leaseholder,
    ModelSpec,
    Sampling,
    redactor,
    spec_from_data,
)
from ...targets import FunctionTarget, ModelTargetSpec, ServedModel, Target
from ..plan import missing_keys
from ..runner import BudgetedExaminer, Examiner, MediaHold
from ..trials import Exchange, Trial
from ._messages import Given, Setup, Spent
from ._stand_in import StandIn

Fetch = Callable[[object], Awaitable[bytes]]
"""Returns the bytes that a reference stands for."""


class Shelf:
    """The media of a worker's trials, each fetched at most once a node.

    Args:
        folder: Where they lie, by SHA-256; workers of one node may share it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._offered: dict[str, tuple[object, Fetch]] = {}
        self._fetching: dict[str, asyncio.Future[None]] = {}

    def offer(self, media: Mapping[str, object], fetch: Fetch) -> None:
        """Take references to media, by SHA-256."""
        for name, reference in media.items():
            self._offered[name] = reference, fetch

    async def place(self, media: Media) -> None:
        """Fetch a medium if it is not here.

        Raises:
            RecordError: What came is something else.
            RuntimeError: It is not here any more, and was not sent again.
        """
        while (fetching := self._fetching.get(media.sha256)) is not None:
            await fetching
        path = self.folder / media.sha256
        offered = self._offered.pop(media.sha256, None)
        if path.exists():
            return
        if offered is None:
            raise RuntimeError(f"the medium {media.sha256[:12]} is gone from this node")
        done = self._fetching[media.sha256] = asyncio.get_running_loop().create_future()
        try:
            reference, fetch = offered
            content = await fetch(reference)
            await asyncio.to_thread(_write, path, content, media)
        finally:
            del self._fetching[media.sha256]
            done.set_result(None)


def _write(path: Path, content: bytes, media: Media) -> None:
    if not media.matches(content):
        raise RecordError(
            f"the medium {media.sha256[:12]} arrived with another content than its hash says"
        )
    private_folder(path.parent)
    with atomic_write(path, private=True) as file:
        file.write(content)


@dataclass(slots=True)
class _Estimates:
    """What cases are expected to take, as the driver estimates them."""

    charges: dict[str, Charge] = field(default_factory=dict[str, Charge])

    def case(self, trial: Trial) -> Charge:
        return self.charges[trial.case_id]


class _Staged:
    """Queries as the driver has prepared them."""

    def __init__(self) -> None:
        self.queries: dict[str, Query] = {}

    async def put(self, trial: Trial, hold: MediaHold | None = None) -> Query:
        return self.queries[trial.case_id]


class Opened:
    """What a worker examines trials with."""

    def __init__(
        self,
        limits: RunLimitsConfig,
        models: OpenModels,
        examiner: Examiner,
        staged: _Staged,
        shelf: Shelf,
    ) -> None:
        self.limits = limits
        self.models = models
        self.shelf = shelf
        self._staged = staged
        self._estimates = _Estimates()
        bound = self._estimates if models.budget.is_bound else None
        self.examiner = BudgetedExaminer(examiner, models.budget, bound)

    async def begin(self, given: Given, hold: MediaHold) -> Trial:
        """Return a trial with its media in place, prepared to be examined.

        Args:
            given: The trial.
            hold: Takes room for the media, before they are fetched.
        """
        trial = given.trial
        put = given.query
        await hold.take(put.media)
        for media in {one.sha256: one for one in put.media}.values():
            await self.shelf.place(media)
        self._staged.queries[trial.case_id] = placed = self._here(put)
        self._estimates.charges[trial.case_id] = Charge(given.tokens, given.usd)
        return trial if given.put is not None else replace(trial, query=placed)

    def end(self, given: Given) -> None:
        """Drop what `begin` prepared."""
        self._staged.queries.pop(given.trial.case_id, None)
        self._estimates.charges.pop(given.trial.case_id, None)

    def placed(self, given: Given, exchange: Exchange) -> Exchange:
        """Return an exchange of the record with its media in place."""
        return replace(exchange, query=self._staged.queries[given.trial.case_id])

    def spent(self) -> Spent:
        """Return what calls have cost until now."""
        budget = self.models.budget
        return Spent(budget.spent_tokens, budget.spent_usd, budget.unknown_price_calls)

    def _here(self, query: Query) -> Query:
        folder = self.shelf.folder
        return with_media(query, lambda media: replace(media, path=str(folder / media.sha256)))


@asynccontextmanager
async def open_worker(
    setup: Setup, folder: Path, record: StandIn, leases: Leaseholder, server_key: str | None
) -> AsyncGenerator[Opened]:
    """Open what a worker needs.

    Args:
        setup: What it is made from.
        folder: Where it may put media and modules.
        record: Takes the rows of its cases.
        leases: What it may take of limits and budget.
        server_key: The API key of managed servers, None where there are none.

    Raises:
        ConfigurationError: This process lacks a key, a module, or what a model needs.
    """
    _put_modules(setup, folder / "modules")
    jury = jury_from_data(setup.jury)
    targets = [_target(said) for said in setup.targets]
    limits = RunLimitsConfig.model_validate(setup.limits)
    if lacking := await missing_keys([*(one.model for one in targets), *jury.models]):
        raise ConfigurationError("; ".join(lacking))
    answered = frozenset[ModelSpec](spec_from_data(said) for said in setup.answered)
    served = _served(setup, limits, server_key) if setup.servers else None
    shelf, staged = Shelf(folder / "media"), _Staged()
    store = MediaStore(shelf.folder)
    async with (
        open_models(
            limits, calls=record, answered=answered, leases=leases, served=served
        ) as models,
        Jury.seated(jury, models.registry, media=store, clerk=record.write_entry) as seated,
    ):
        functions = [
            function_target(name, named_function(place, Path()), limits, leases)
            for name, place in setup.functions.items()
        ]
        opened: list[Target] = [one.open(models.registry, store) for one in targets]
        _check_known(setup, jury, functions)
        examiner = Examiner(
            [*opened, *functions],
            seated,
            staged,
            taxonomy=_taxonomy(setup.taxonomy, folder),
            judge_truncated=setup.judges_truncated,
        )
        yield Opened(limits, models, examiner, staged, shelf)


def _served(
    setup: Setup, limits: RunLimitsConfig, key: str | None
) -> Callable[[ModelSpec], ChatModel]:
    """Return what opens models on managed servers."""
    redactor.register(key)
    known = {address.server: address for address in setup.servers}
    patience = limits.outage_patience or 0.0
    return lambda spec: ServedModel(spec, known[spec.server or ""], key, patience=patience)


def _target(said: dict[str, Any]) -> ModelTargetSpec:
    known = dict(said)
    known["model"] = spec_from_data(said["model"])
    known["sampling"] = msgspec.convert(said["sampling"], Sampling)
    known["images"] = msgspec.convert(said["images"], ImageLimits)
    return ModelTargetSpec(**known)


def _put_modules(setup: Setup, folder: Path) -> None:
    """Write modules where an import finds them, after all that is installed."""
    if not setup.sources:
        return
    named = sorted(setup.sources.items())
    place = folder / hashlib.sha256(repr(named).encode()).hexdigest()[:16]
    private_folder(place)
    for name, source in named:
        with atomic_write(place / f"{name}.py", private=True) as file:
            file.write(source.encode())
    sys.path += [path for path in (str(place), *setup.folders) if path not in sys.path]


def _check_known(setup: Setup, jury: JurySpec, functions: Iterable[FunctionTarget]) -> None:
    """Check that functions of the user's own are the same here as where the run was begun.

    Raises:
        ConfigurationError: One differs.
    """
    found = {setup.functions[one.name]: one.identity["sha256"] for one in functions}
    found |= {one.place: one.sha256 for one in jury.agent_factories.values()}
    found |= {name: rule.source_sha256 for name, rule in RULES.items() if name in setup.known}
    for place, known in setup.known.items():
        if found.get(place) != known:
            raise ConfigurationError(
                f"{quoted(place)} differs on this node from that where the command runs: install "
                "the same version on every node"
            )


def _taxonomy(text: str | None, folder: Path) -> Taxonomy | None:
    if text is None:
        return None
    path = folder / "taxonomy" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.yaml"
    private_folder(path.parent)
    with atomic_write(path, private=True) as file:
        file.write(text.encode())
    return read_taxonomy(path)
