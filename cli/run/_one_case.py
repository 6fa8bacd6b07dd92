"""Judges one case while it is shown, as options and a config describe it."""

import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from ...agents import Case
from ...assembly import load_config
from ...assembly.config import (
    JuryConfig,
    ModelConfig,
    RunConfig,
    RunLimitsConfig,
    TargetConfig,
    check_keys,
    refused_option,
)
from ...assembly.jury import jury_spec
from ...assembly.models import ManagedServers, open_models
from ...assembly.servers import ServerBook
from ...assembly.targets import target_spec
from ...common import ConfigurationError, OutageError, OutOfBudgetError
from ...datasets import (
    UNCATEGORISED,
    Intent,
    MediaStore,
    Query,
    Taxonomy,
    read_media,
    taxonomy_of,
)
from ...deliberation import JurySpec, check_export_path
from ...evaluation.plan import find_prices, unbound_note, unpriced
from ...evaluation.record import MEDIA
from ...evaluation.runner import hear_live
from ...models import EMBEDDED_WARNING, ModelRegistry
from ...targets import ModelTargetSpec, Response, ResponseOutcome, ServerUse
from ..console import busy, run_async, say
from ._embedded_jury import EMBEDDED_JURY, EMBEDDED_SEED

_RECORDED = "recorded"
"""Who is said to have given a response that came with the question."""


def deliberate_once(
    *,
    question: str,
    response: str | None = None,
    target: str | None = None,
    url: str | None = None,
    api_key_env: str | None = None,
    image: Path | None = None,
    scenario: str | None = None,
    taxonomy: Path | None = None,
    config: Path | None = None,
    protocol: str | None = None,
    export: Path | None = None,
    jury: JuryConfig = EMBEDDED_JURY,
) -> int:
    """Judge one case while it is shown; see the options of `safejury deliberate`.

    `jury` is who judges where no config says so.
    """
    if (response is None) == (target is None):
        raise ConfigurationError("deliberate needs either --response or --target")
    if export is not None:
        check_export_path(export)
    scenarios = taxonomy_of(taxonomy)
    query = _query(question, scenario, scenarios, image)
    read, servers = _read(config, protocol, jury)
    seats = jury_spec(read.jury, servers.folder, servers, seed=read.run.seed)
    asked = None
    if target is not None:
        asked = _asked(target, url, api_key_env, read, servers)
    elif response == "-":
        response = sys.stdin.read()
    hearing = _Hearing(query, scenarios, seats, asked, servers.uses, read.limits)
    try:
        return run_async(_deliberate(hearing, response, export))
    except OutOfBudgetError as error:
        raise OutOfBudgetError(f"the case has no verdict: {error}") from None


def recorded_case(question: str, response: str, scenario: str) -> Case:
    """Return the case that `deliberate_once` makes of these words."""
    scenarios = taxonomy_of(None)
    answer = Response(ResponseOutcome.ANSWERED, response)
    return _case(_query(question, scenario, scenarios), answer, _RECORDED, scenarios)


def _query(
    question: str, scenario: str | None, scenarios: Taxonomy, image: Path | None = None
) -> Query:
    return Query(
        "question",
        (UNCATEGORISED if scenario is None else scenarios.resolve(scenario)).id,
        question,
        Intent.HARMFUL,
        images=() if image is None else (read_media(image, kind="image"),),
    )


def _case(query: Query, answer: Response, name: str, scenarios: Taxonomy) -> Case:
    guideline = scenarios.resolve(query.scenario).guideline
    titles = None if scenarios.path is None else scenarios.titles(query.scenario)
    return Case(f"{query.id}/{name}/0", query, answer, guideline, titles=titles)


@dataclass(frozen=True, slots=True)
class _Hearing:
    """What is judged, by whom, who is asked for the response, and within which limits."""

    query: Query
    scenarios: Taxonomy
    jury: JurySpec
    target: ModelTargetSpec | None
    servers: tuple[ServerUse, ...]
    limits: RunLimitsConfig


def _asked(
    name: str, url: str | None, api_key_env: str | None, read: "_Read", servers: ServerBook
) -> ModelTargetSpec:
    """Return the config's target of that name, else the model that the options describe."""
    own = read.targets.get(name) if url is None and api_key_env is None else None
    spec = (
        target_spec("server", _target(name, url, api_key_env), servers, read.run, keep=True)
        if own is None
        else target_spec(own.name, own.as_model(), servers, read.run, system=own.system, keep=True)
    )
    return replace(spec, name=spec.model.model)


def _target(name: str, url: str | None, api_key_env: str | None) -> ModelConfig:
    try:
        return ModelConfig(model=name, base_url=url, api_key_env=api_key_env)
    except ValidationError as error:
        raise refused_option(error, model="--target") from None


async def _deliberate(hearing: _Hearing, response: str | None, export: Path | None) -> int:
    query, scenarios, target = hearing.query, hearing.scenarios, hearing.target
    specs = [*([] if target is None else [target.model]), *hearing.jury.models]
    if any(spec.is_embedded for spec in specs):
        say(f"Note: {EMBEDDED_WARNING}")
    # Prices may be LiteLLM's to tell, whose import takes seconds.
    prices = {} if hearing.limits.max_cost_usd is None else await find_prices(specs)
    if unbound := unpriced(hearing.limits, prices):
        say(f"Note: {unbound_note(unbound)}")
    console = Console()
    name = _RECORDED if target is None else target.name
    async with _opened(hearing) as (registry, media):
        if target is None:
            answer = Response(ResponseOutcome.ANSWERED, response or "")
        else:
            with busy(f"Asking {name} …", console):
                answer = await target.open(registry, media).respond(query, epoch=0, call_id="")
            if answer.outcome is ResponseOutcome.ERROR:
                raise OutageError(f"there is no response to judge: {answer.detail}")
        case = _case(query, answer, name, scenarios)
        await hear_live(
            case, hearing.jury, registry, console, target=name, export=export, media=media
        )
    if export is not None:
        say(f"Wrote {export}.")
    return 0


@asynccontextmanager
async def _opened(hearing: _Hearing) -> AsyncGenerator[tuple[ModelRegistry, MediaStore]]:
    """Yield the ways to the models, and a place for pictures that are fitted."""
    # Whoever watches is told at once that an endpoint is down.
    limits = hearing.limits.model_copy(update={"outage_patience": None})
    with tempfile.TemporaryDirectory(prefix="safejury-") as place:
        servers = ManagedServers(hearing.servers, Path(place), say)
        # No smaller jury decides: a juror that cannot be paid ends the hearing.
        opening = open_models(limits, servers=servers, refusal=OutOfBudgetError)
        async with opening as models:
            yield models.registry, MediaStore(Path(place) / MEDIA)


@dataclass(frozen=True, slots=True)
class _Read:
    """What of a config holds for one case."""

    jury: JuryConfig
    limits: RunLimitsConfig = RunLimitsConfig(concurrency=8)
    run: RunConfig = RunConfig(seed=EMBEDDED_SEED)
    targets: Mapping[str, TargetConfig] = field(default_factory=dict[str, TargetConfig])


def _read(config: Path | None, protocol: str | None, jury: JuryConfig) -> tuple[_Read, ServerBook]:
    if config is not None:
        changes = [] if protocol is None else [f"jury.protocol={protocol}"]
        read = load_config(config, changes)
        check_keys(read.jury)
        asked = {target.name: target for target in read.targets if target.responses is None}
        return _Read(read.jury, read.limits, read.run, asked), ServerBook(config.parent)
    if protocol == "safebench":
        raise ConfigurationError("safebench takes 5 jurors: name them in a --config")
    changed = {} if protocol is None else {"protocol": protocol}
    return _Read(jury.model_copy(update=changed)), ServerBook(Path())
