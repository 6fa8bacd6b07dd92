"""What `safejury deliberate` does: one case judged, live."""

import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
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
    limits_of_places,
    read_system,
    refused_option,
)
from ...assembly.jury import jury_spec
from ...assembly.models import model_spec
from ...assembly.servers import ServerBook, make_fleet, server_clock
from ...common import ConfigurationError, OutageError, OutOfBudgetError
from ...datasets import (
    UNCATEGORISED,
    ImageFitting,
    ImageLimits,
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
from ...models import (
    EMBEDDED_WARNING,
    Budget,
    ModelRegistry,
    ModelSpec,
    PlaceLimits,
    RetryPolicy,
    Sampling,
)
from ...targets import ModelTarget, Response, ResponseOutcome
from ..console import busy, run_async, say
from ._embedded_jury import EMBEDDED_JURY, EMBEDDED_SEED


def deliberate_once(
    *,
    question: str,
    response: str | None,
    target: str | None,
    url: str | None,
    api_key_env: str | None,
    image: Path | None,
    scenario: str | None,
    taxonomy: Path | None,
    config: Path | None,
    protocol: str | None,
    export: Path | None,
) -> int:
    """Judge one case, live."""
    if (response is None) == (target is None):
        raise ConfigurationError("deliberate needs either --response or --target")
    if export is not None:
        check_export_path(export)
    scenarios = taxonomy_of(taxonomy)
    query = Query(
        "question",
        (UNCATEGORISED if scenario is None else scenarios.resolve(scenario)).id,
        question,
        Intent.HARMFUL,
        images=() if image is None else (read_media(image, kind="image"),),
    )
    read, servers = _read(config, protocol)
    jury = jury_spec(read.jury, servers.folder, servers, seed=read.run.seed)
    asked = None
    if target is not None:
        asked = _Asked.of(target, url, api_key_env, read, servers)
    elif response == "-":
        response = sys.stdin.read()
    hearing = _Hearing(query, scenarios, jury, servers, read.limits)
    try:
        return run_async(_deliberate(hearing, asked, response, export))
    except OutOfBudgetError as error:
        raise OutOfBudgetError(f"the case has no verdict: {error}") from None


@dataclass(frozen=True, slots=True)
class _Hearing:
    """What is judged, by whom, and within which limits."""

    query: Query
    scenarios: Taxonomy
    jury: JurySpec
    servers: ServerBook
    limits: RunLimitsConfig


@dataclass(frozen=True, slots=True)
class _Asked:
    """A model that is asked for the response, as the config's target of that name is."""

    spec: ModelSpec
    pictures: ImageLimits
    sampling: Sampling
    max_tokens: int
    system: str | None

    @classmethod
    def of(
        cls,
        name: str,
        url: str | None,
        api_key_env: str | None,
        read: "_Read",
        servers: ServerBook,
    ) -> "_Asked":
        """Return the config's target of that name, else the model that the options describe."""
        own = read.targets.get(name) if url is None and api_key_env is None else None
        said = _target(name, url, api_key_env) if own is None else own.as_model()
        sampling = Sampling(said.temperature, said.top_p)
        spec = model_spec(said, servers, keep=True)
        prompt = None if own is None else own.system
        system = None if prompt is None else read_system(prompt, servers.folder)
        return cls(spec, said.image_limits, sampling, read.run.max_tokens, system)


def _target(name: str, url: str | None, api_key_env: str | None) -> ModelConfig:
    try:
        return ModelConfig(model=name, base_url=url, api_key_env=api_key_env)
    except ValidationError as error:
        raise refused_option(error, model="--target") from None


async def _deliberate(
    hearing: _Hearing, asked: _Asked | None, response: str | None, export: Path | None
) -> int:
    jury, query, scenarios = hearing.jury, hearing.query, hearing.scenarios
    specs = [*([] if asked is None else [asked.spec]), *jury.models]
    if any(spec.is_embedded for spec in specs):
        say(f"Note: {EMBEDDED_WARNING}")
    # Prices may be LiteLLM's to tell, whose import takes seconds.
    prices = {} if hearing.limits.max_cost_usd is None else await find_prices(specs)
    if unbound := unpriced(hearing.limits, prices):
        say(f"Note: {unbound_note(unbound)}")
    console = Console()
    name = "recorded" if asked is None else asked.spec.model
    async with _opened(hearing) as (registry, media):
        if asked is None:
            answer = Response(ResponseOutcome.ANSWERED, response or "")
        else:
            target = ModelTarget(
                name,
                registry.open(asked.spec),
                max_tokens=asked.max_tokens,
                seed=jury.seed,
                sampling=asked.sampling,
                fitting=ImageFitting(asked.pictures, media),
                system=asked.system,
            )
            with busy(f"Asking {name} …", console):
                answer = await target.respond(query, epoch=0, call_id="")
            if answer.outcome is ResponseOutcome.ERROR:
                raise OutageError(f"there is no response to judge: {answer.detail}")
        guideline = scenarios.resolve(query.scenario).guideline
        titles = None if scenarios.path is None else scenarios.titles(query.scenario)
        case = Case(f"{query.id}/{name}/0", query, answer, guideline, titles=titles)
        await hear_live(case, jury, registry, console, target=name, export=export, media=media)
    if export is not None:
        say(f"Wrote {export}.")
    return 0


@asynccontextmanager
async def _opened(hearing: _Hearing) -> AsyncGenerator[tuple[ModelRegistry, MediaStore]]:
    """Yield the ways to the models within the limits, and a place for pictures that are fitted.

    The jury's managed servers are started if there are any.
    """
    limits, uses = hearing.limits, hearing.servers.uses
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safejury-")))
        # No smaller jury decides: a juror that cannot be paid ends the hearing.
        budget = Budget(limits.max_tokens_total, limits.max_cost_usd, refusal=OutOfBudgetError)
        fleet = None
        if uses:
            clock = await stack.enter_async_context(server_clock(budget, uses))
            fleet = await make_fleet(uses, folder, say, clock=clock)
            await stack.enter_async_context(fleet)
        registry = ModelRegistry(
            limits=PlaceLimits(limits.concurrency, limits.requests_per_minute),
            places=limits_of_places(limits),
            policy=RetryPolicy(attempts=limits.attempts),
            budget=budget,
            managed=None if fleet is None else fleet.model,
        )
        yield await stack.enter_async_context(registry), MediaStore(folder / MEDIA)


@dataclass(frozen=True, slots=True)
class _Read:
    """What of a config holds for one case."""

    jury: JuryConfig
    limits: RunLimitsConfig = RunLimitsConfig(concurrency=8)
    run: RunConfig = RunConfig(seed=EMBEDDED_SEED)
    targets: Mapping[str, TargetConfig] = field(default_factory=dict[str, TargetConfig])


def _read(config: Path | None, protocol: str | None) -> tuple[_Read, ServerBook]:
    if config is not None:
        changes = [] if protocol is None else [f"jury.protocol={protocol}"]
        read = load_config(config, changes)
        check_keys(read.jury)
        asked = {target.name: target for target in read.targets if target.responses is None}
        return _Read(read.jury, read.limits, read.run, asked), ServerBook(config.parent)
    if protocol == "safebench":
        raise ConfigurationError("safebench takes 5 jurors: name them in a --config")
    changed = {} if protocol is None else {"protocol": protocol}
    return _Read(EMBEDDED_JURY.model_copy(update=changed)), ServerBook(Path())
