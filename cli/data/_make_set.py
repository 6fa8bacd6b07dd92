"""Makes a set of queries, or resumes one, with cost and progress on the screen."""

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import yaml
from filelock import FileLock, Timeout
from rich.console import Console

from ...assembly.config import read_config
from ...assembly.models import ManagedServers, open_models
from ...assembly.servers import Uptime
from ...common import ConfigurationError, OutageError, RecordError
from ...evaluation.plan import find_prices, unbound_note, unpriced
from ...evaluation.record import without_secrets
from ...evaluation.runner import watched
from ...generation import (
    STAGES,
    CallJournal,
    Services,
    SetFolder,
    Stage,
    StageContext,
    check_card,
    check_pictures,
    check_set_folder,
    check_speech,
    check_voices,
    make_stages,
)
from ...generation.config import GenerateConfig, GenerateSetup, set_up_generation
from ...models import EMBEDDED_WARNING, ModelRegistry
from ..console import EXIT_INTERRUPTED, run_async, same_command, say
from ._generate_estimate import show_estimate
from ._generate_progress import GenerateProgress

CONFIG = "generate.yaml"
"""The file of a set that keeps the config it was last made with."""
CARE = (
    "This makes harmful queries. It is for authorized evaluation of models only; the purpose "
    "is written into the set's card, and the files are for their owner alone."
)


def generate_set(
    path: Path,
    changes: Sequence[str],
    *,
    authorized: bool,
    until: str | None,
    again: Sequence[str],
    accept_failures: bool,
    estimate_only: bool,
) -> int:
    """Make a set, or resume one.

    Args:
        path: The config.
        changes: Settings from the command line.
        authorized: Whether the user said that they may do this.
        until: The last stage to make, None for all.
        again: Stages to make once more; `all` for every one.
        accept_failures: Whether stages are made though calls failed for them.
        estimate_only: Whether to show the cost and stop.

    Raises:
        ConfigurationError: Something does not fit.
    """
    setup = _set_up(path, changes, authorized=authorized)
    stages = _chosen(setup, until)
    redo = _known(again)
    _check(setup, stages, estimate_only=estimate_only)
    _warn(setup)
    try:
        with GenerateProgress(Console(stderr=True)) as progress:
            making = _generate(
                setup,
                stages,
                redo,
                progress,
                accept_failures=accept_failures,
                estimate_only=estimate_only,
            )
            run_async(making)
    except OutageError as error:
        raise OutageError(
            f"the set is unfinished: {str(error).rstrip('.')}. Fix the cause and repeat the "
            "command: nothing is made or paid for twice. --accept-failures goes on without "
            "what fails."
        ) from None
    except KeyboardInterrupt:
        say(f"Interrupted. Finished work is kept in {setup.directory}.")
        say(f"Resume with: {same_command()}")
        return EXIT_INTERRUPTED
    if not estimate_only and stages[-1].name == STAGES[-1].name:
        _print_where(setup.directory / "set.jsonl", setup.directory / "card.md")
    return 0


def _warn(setup: GenerateSetup) -> None:
    say(CARE)
    if setup.uses_embedded:
        say(f"Note: {EMBEDDED_WARNING}")


def _print_where(made: Path, card: Path) -> None:
    say(f"The set is {made}; read {card}.")
    say(f"To use it, write `dataset: {made}` in the config of a run.")


def _set_up(path: Path, changes: Sequence[str], *, authorized: bool) -> GenerateSetup:
    needs = "a config needs the keys panel and generator; see docs/generation.md."
    config = read_config(
        path,
        changes,
        GenerateConfig,
        needs,
        renamed=GenerateConfig.RENAMED,
        warn=lambda message: say(f"Note: {message}"),
    )
    setup = set_up_generation(config, path.parent, authorized=authorized)
    _check_not_overwritten(path, setup.directory / CONFIG)
    return setup


def _check_not_overwritten(config: Path, kept: Path) -> None:
    if kept.exists() and config.samefile(kept):
        raise ConfigurationError(
            f"{config}: the set keeps its config under this name, which would overwrite yours: "
            "copy it to another folder and name the copy"
        )


def _chosen(setup: GenerateSetup, until: str | None) -> list[Stage]:
    """Return the stages that the settings ask for, up to the last one wanted."""
    names = [stage.name for stage in STAGES]
    if until is not None and until not in names:
        raise ConfigurationError(f"there is no stage {until!r}: name one of {', '.join(names)}")
    settings = setup.settings
    wanted = {
        "taxonomy": settings.taxonomy is not None,
        "pictures": settings.pictures is not None,
        "speech": settings.speech is not None,
    }
    last = len(names) if until is None else names.index(until) + 1
    return [stage for stage in STAGES[:last] if wanted.get(stage.name, True)]


def _check(setup: GenerateSetup, stages: Sequence[Stage], *, estimate_only: bool) -> None:
    """Look for what would be missing at the end, before anything is paid for."""
    check_set_folder(setup.directory)
    names = {stage.name for stage in stages}
    if "card" in names:
        check_card(setup.directory, setup.settings)
    if "speech" in names and setup.settings.speech is not None:
        with _noting(estimate_only):
            check_speech(setup.settings.speech)


async def _check_services(
    setup: GenerateSetup, stages: Sequence[Stage], *, estimate_only: bool
) -> None:
    """Look whether all is there that draws and speaks, before anything is paid for."""
    names, settings = {stage.name for stage in stages}, setup.settings
    if "pictures" in names and settings.pictures is not None:
        with _noting(estimate_only):
            await check_pictures(settings.pictures)
    if "speech" in names and settings.speech is not None and not estimate_only:
        await check_voices(settings.speech)


@contextmanager
def _noting(estimate_only: bool) -> Generator[None]:
    """Say what is missing and go on where nothing is made: an estimate needs none of it."""
    try:
        yield
    except ConfigurationError as error:
        if not estimate_only:
            raise
        say(f"Note: needed before the set can be made: {error}")


def _known(again: Sequence[str]) -> set[str]:
    names = {stage.name for stage in STAGES}
    if "all" in again:
        return names
    if unknown := sorted(set(again) - names):
        raise ConfigurationError(
            f"there is no stage {unknown[0]!r}: name one of {', '.join(sorted(names))}, or all"
        )
    return set(again)


async def _generate(
    setup: GenerateSetup,
    stages: Sequence[Stage],
    again: set[str],
    progress: GenerateProgress,
    *,
    accept_failures: bool,
    estimate_only: bool,
) -> None:
    await _check_services(setup, stages, estimate_only=estimate_only)
    async with AsyncExitStack() as stack:
        folder = SetFolder(setup.directory)
        stack.enter_context(_locked(setup.directory))
        if not estimate_only:
            _write_config(setup, folder)
        registry, context = await _context(
            setup,
            folder,
            progress,
            stack,
            starts=not estimate_only,
            waits=not accept_failures,
        )
        show_estimate(setup, stages, context)
        if not estimate_only:
            await _check_money(setup)
            context = replace(context, accepts_failures=accept_failures)
            async with watched(registry, progress):
                await make_stages(stages, context, again=again)


async def _check_money(setup: GenerateSetup) -> None:
    """Refuse a limit of money that does not bind a model that takes part, or say so."""
    limits = setup.config.limits
    # Prices may be LiteLLM's to report, whose import takes seconds.
    specs = () if limits.max_cost_usd is None else [role.spec for role in setup.roles]
    if unbound := unpriced(limits, await find_prices(specs)):
        say(f"Note: {unbound_note(unbound)}")


async def _context(
    setup: GenerateSetup,
    folder: SetFolder,
    progress: GenerateProgress,
    stack: AsyncExitStack,
    *,
    starts: bool,
    waits: bool,
) -> tuple[ModelRegistry, StageContext]:
    """Open the models and the journal of a set; the stack closes them.

    Args:
        setup: Whose models they are.
        folder: The set's.
        progress: Is told how it goes.
        stack: Closes what is opened.
        starts: Whether managed servers start, as they must before they are asked.
        waits: Whether an endpoint that is down is waited for.
    """
    journal = CallJournal(folder.path)
    stack.callback(journal.close)
    limits = setup.config.limits

    def keep(time: Uptime) -> None:
        journal.charge_time(time.life, time.server, time.usd)

    servers = ManagedServers(setup.servers, setup.directory, progress.notify, keep, needed=starts)
    opened = await stack.enter_async_context(
        open_models(
            limits if waits else limits.model_copy(update={"outage_patience": None}),
            servers=servers,
            calls=journal,
            spent=journal.total_cost(),
            ends_at_once=True,
        )
    )
    registry = opened.registry
    progress.watch(registry)
    models, services = setup.open_models(registry), Services(opened.policy, opened.budget, journal)
    context = StageContext(folder, setup.settings, models, progress, limits.concurrency, services)
    return registry, context


def _locked(directory: Path) -> AbstractContextManager[object]:
    try:
        return FileLock(directory / "set.lock", timeout=0, mode=0o600).acquire()
    except Timeout:
        raise RecordError(
            f"{directory}: another process is making this set: wait for it to end, or give "
            "this one another set.name."
        ) from None


def _write_config(setup: GenerateSetup, folder: SetFolder) -> None:
    data = without_secrets(setup.config.model_dump(mode="json"))
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    folder.write_bytes(CONFIG, text.encode())
