"""What `safejury deliberate` does: one case judged, live."""

import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from ..agents import Case
from ..datasets import (
    UNCATEGORISED,
    ConfigurationError,
    Intent,
    Query,
    Taxonomy,
    read_media,
    taxonomy_of,
)
from ..deliberation import check_export_path
from ..models import EMBEDDED_WARNING, ModelSpec, PlaceLimits, Sampling, Switchboard
from ..targets import ModelTarget, Response, ResponseOutcome
from ._bench import Bench, model_spec, seat_bench
from ._config import load_config
from ._config_shape import ModelConfig
from ._config_words import refused_option
from ._console import busy, run_async, say
from ._embedded_jury import EMBEDDED_JURY, EMBEDDED_SEED
from ._live import hear_live
from ._servers import ServerBook, make_fleet


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
    servers = ServerBook(Path() if config is None else config.parent)
    bench = _bench(config, protocol, servers)
    asked = None
    if target is not None:
        asked = model_spec(_target(target, url, api_key_env))
    elif response == "-":
        response = sys.stdin.read()
    return run_async(_deliberate(query, scenarios, bench, servers, asked, response, export))


def _target(name: str, url: str | None, api_key_env: str | None) -> ModelConfig:
    try:
        return ModelConfig(model=name, base_url=url, api_key_env=api_key_env)
    except ValidationError as error:
        raise refused_option(error, model="--target") from None


async def _deliberate(
    query: Query,
    scenarios: Taxonomy,
    bench: Bench,
    servers: ServerBook,
    asked: ModelSpec | None,
    response: str | None,
    export: Path | None,
) -> int:
    specs = [asked, bench.foreperson, *(chair.spec for chair in bench.chairs)]
    if any(spec is not None and spec.is_embedded for spec in specs):
        say(f"Note: {EMBEDDED_WARNING}")
    console = Console()
    name = "recorded" if asked is None else asked.model
    async with _opened(servers) as switchboard:
        if asked is None:
            answer = Response(ResponseOutcome.ANSWERED, response or "")
        else:
            target = ModelTarget(
                name,
                switchboard.open(asked),
                max_tokens=1024,
                seed=bench.seed,
                sampling=Sampling(),
            )
            with busy(f"Asking {name} …", console):
                answer = await target.respond(query, epoch=0, call_id="")
        guideline = scenarios.resolve(query.scenario).guideline
        titles = None if scenarios.path is None else scenarios.titles(query.scenario)
        case = Case(f"{query.id}/{name}/0", query, answer, guideline, titles=titles)
        await hear_live(case, bench, switchboard, console, target=name, export=export)
    if export is not None:
        say(f"Wrote {export}.")
    return 0


@asynccontextmanager
async def _opened(servers: ServerBook) -> AsyncGenerator[Switchboard]:
    """Yield a switchboard over the jury's managed servers, which are started if there are any."""
    async with AsyncExitStack() as stack:
        fleet = None
        if servers.uses:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safejury-")))
            fleet = await stack.enter_async_context(await make_fleet(servers.uses, folder, say))
        managed = None if fleet is None else fleet.model
        yield await stack.enter_async_context(Switchboard(limits=PlaceLimits(8), managed=managed))


def _bench(config: Path | None, protocol: str | None, servers: ServerBook) -> Bench:
    jury, folder, seed = EMBEDDED_JURY, Path(), EMBEDDED_SEED
    if config is not None:
        changes = [] if protocol is None else [f"jury.protocol={protocol}"]
        read = load_config(config, changes)
        jury, folder, seed = read.jury, config.parent, read.run.seed
    elif protocol == "safebench":
        raise ConfigurationError("safebench takes 5 jurors: name them in a --config")
    elif protocol is not None:
        jury = jury.model_copy(update={"protocol": protocol})
    return seat_bench(jury, folder, servers, seed=seed)
