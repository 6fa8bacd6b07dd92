"""What the commands do, once they are asked for."""

import shlex
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..agents import Case, bundled_personas
from ..datasets import ConfigurationError, Intent, Query, load_taxonomy, read_media
from ..deliberation import (
    check_export_path,
    export_transcript,
    harmless,
    harmless_line,
    render_case,
)
from ..models import EMBEDDED_WARNING, ModelSpec, Sampling, Switchboard
from ..targets import ModelTarget, Response, ResponseOutcome
from ._bench import Bench, model_spec, seat_bench
from ._config import load_config
from ._config_shape import JurorConfig, JuryConfig, ModelConfig
from ._console import EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED, run_async, say
from ._doctor import Check, check_config, check_machine
from ._live import hear_live
from ._progress import RunProgress
from ._report import report_csv, report_json, report_markdown
from ._report_table import report_table
from ._run import RunOutcome
from ._run import run as run_setup
from ._servers import ServerBook, make_fleet
from ._setup import Setup, set_up
from ._stored import StoredRun

EMBEDDED_JURY = JuryConfig(
    jurors=[
        JurorConfig(persona=persona, model="embedded/smollm2", temperature=1.0)
        for persona in ("clinician", "security_engineer", "sceptic")
    ],
    foreperson=ModelConfig(model="embedded/smollm2", temperature=0.8),
    max_tokens=200,
)
"""The jury of those who name none: for trying the tool. Drawn at random, it disagrees."""
EMBEDDED_SEED = 2


def run_config(
    path: Path, changes: Sequence[str], *, min_coverage: float, retry_failed: bool
) -> int:
    """Run a config, then show its report."""
    setup = set_up(load_config(path, changes), path.parent)
    settings = [part for change in changes for part in ("--set", change)]
    again = shlex.join(["safejury", "run", str(path), *settings])
    return run_and_report(setup, again=again, min_coverage=min_coverage, retry_failed=retry_failed)


def run_and_report(
    setup: Setup,
    *,
    again: str,
    min_coverage: float = 0.9,
    retry_failed: bool = False,
    kept: bool = True,
) -> int:
    """Run, show the report, and return the exit code.

    Args:
        setup: What to run.
        again: The command that goes on with the run.
        min_coverage: Least share of cases, in [0, 1], that need a verdict.
        retry_failed: Hear cases again that failed calls cost.
        kept: Whether the run's directory outlives the command.
    """
    if setup.uses_embedded:
        say(f"Note: {EMBEDDED_WARNING}")
    for note in setup.selection.dataset.notes:
        say(f"Note: {setup.config.dataset}: {note}.")
    for note in setup.notes():
        say(f"Note: {note}")
    try:
        bar = not setup.bench.has_person
        with RunProgress(Console(stderr=True), bar=bar) as progress:
            outcome = run_async(run_setup(setup, progress, retry_failed=retry_failed))
    except KeyboardInterrupt:
        kept_in = f" What is finished is kept in {setup.directory}." if kept else ""
        say(f"Interrupted.{kept_in}")
        say(f"Go on with: {again}" if kept else f"Start again with: {again}")
        return EXIT_INTERRUPTED
    _show_table(setup.directory, min_coverage)
    if kept:
        say(f"{outcome.cases} cases in {setup.directory}; finished in {outcome.seconds:.1f} s.")
        say(f"Read one: safejury show {setup.directory} CASE")
    return _judge(outcome, min_coverage)


def _judge(outcome: RunOutcome, min_coverage: float) -> int:
    if outcome.coverage >= min_coverage:
        return 0
    say(
        f"Coverage is {outcome.coverage:.0%}, less than the {min_coverage:.0%} asked for: "
        "too many cases have no verdict to trust the figures. Mend the cause shown above, "
        "then repeat with --retry-failed."
    )
    return EXIT_INFRASTRUCTURE


def report_run(directory: Path, form: str, *, min_coverage: float) -> int:
    """Write a stored run's report to standard output."""
    if form == "table":
        _show_table(directory, min_coverage)
        return 0
    with closing(StoredRun(directory)) as stored:
        summary, parity = stored.summary(), stored.parity()
        notes = _notes(stored)
        if form == "json":
            info = {**stored.info, "notes": notes, "parity": parity}
            sys.stdout.write(report_json(info, summary))
        elif form == "csv":
            sys.stdout.write(report_csv(summary, parity))
        else:
            facts = {key: stored.info[key] for key in ("name", "protocol", "cases_finished")}
            sys.stdout.write(
                report_markdown(
                    facts, summary, notes=notes, parity=parity, min_coverage=min_coverage
                )
            )
    return 0


def _show_table(directory: Path, min_coverage: float) -> None:
    with closing(StoredRun(directory)) as stored:
        console = Console()
        report_table(
            stored.summary(),
            console,
            notes=_notes(stored),
            parity=stored.parity(),
            min_coverage=min_coverage,
        )


def _notes(stored: StoredRun) -> list[str]:
    return [EMBEDDED_WARNING] if stored.uses_embedded else []


def show_case(directory: Path, case_id: str | None, *, reveal: bool, export: Path | None) -> int:
    """Replay one case of a stored run, or list all."""
    if export is not None:
        check_export_path(export)
    with closing(StoredRun(directory)) as stored:
        if case_id is None:
            for known in stored.case_ids():
                sys.stdout.write(f"{harmless_line(known)}\n")
            return 0
        case, embedded = stored.case(case_id), stored.uses_embedded
    Console().print(
        render_case(
            case.entries, case.jury, target=case.target, protocol=case.protocol, reveal=reveal
        )
    )
    if not reveal:
        say("The question and the response are withheld: add --reveal to read them.")
    if embedded:
        say(f"Note: {EMBEDDED_WARNING}")
    if export is not None:
        export_transcript(
            case.entries,
            case.jury,
            export,
            target=case.target,
            protocol=case.protocol,
            reveal=reveal,
        )
        say(f"Wrote {export}.")
    return 0


def deliberate_once(
    *,
    question: str,
    response: str | None,
    target: str | None,
    url: str | None,
    api_key_env: str | None,
    image: Path | None,
    scenario: str | None,
    config: Path | None,
    protocol: str | None,
    export: Path | None,
) -> int:
    """Judge one case, live."""
    if (response is None) == (target is None):
        raise ConfigurationError("deliberate needs either --response or --target")
    if export is not None:
        check_export_path(export)
    query = Query(
        "question",
        "" if scenario is None else load_taxonomy().resolve(scenario).id,
        question,
        Intent.HARMFUL,
        images=() if image is None else (read_media(image, kind="image"),),
    )
    servers = ServerBook(Path() if config is None else config.parent)
    bench = _bench(config, protocol, servers)
    asked = None
    if target is not None:
        asked = model_spec(ModelConfig(model=target, base_url=url, api_key_env=api_key_env))
    elif response == "-":
        response = sys.stdin.read()
    return run_async(_deliberate(query, bench, servers, asked, response, export))


async def _deliberate(
    query: Query,
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
            with console.status(f"Asking {harmless_line(name)} …"):
                answer = await target.respond(query, epoch=0, call_id="")
        guideline = load_taxonomy().resolve(query.scenario).guideline if query.scenario else ""
        case = Case(f"{query.id}/{name}/0", query, answer, guideline)
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
        yield await stack.enter_async_context(Switchboard(concurrency=8, managed=managed))


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


def list_personas() -> None:
    """Show the bundled personas in a table."""
    table = Table("persona", "title", "perspective", box=SIMPLE, pad_edge=False)
    table.columns[0].no_wrap = True
    for persona in bundled_personas():
        table.add_row(Text(persona.name), Text(persona.title), Text(persona.perspective))
    Console().print(table)
    say("Write your own as YAML with name, title, perspective and instructions.")


def list_scenarios(name: str | None) -> None:
    """Show the scenarios in a table, or one whole."""
    console, taxonomy = Console(), load_taxonomy()
    if name is not None:
        scenario = taxonomy.resolve(name)
        console.print(Text(scenario.title, style="bold"), Text(scenario.id, style="cyan"))
        console.print(Text(f"\n{scenario.definition}\n\n{scenario.guideline}"))
        return
    table = Table("id", "title", "alias", box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.columns[0].no_wrap = True
    for category in taxonomy.categories:
        table.add_section()
        for scenario in category.scenarios:
            aliases = ", ".join(scenario.aliases)
            table.add_row(Text(scenario.id, style="cyan"), Text(scenario.title), Text(aliases))
    console.print(table)


def examine(config: Path | None) -> int:
    """Show what the doctor finds; 3 if there is a problem."""
    checks = list(check_machine())
    if config is not None:
        checks += run_async(check_config(config))
    console = Console()
    for check in checks:
        console.print(_finding(check))
    if config is None:
        say("Name a config to check its keys and endpoints too: safejury doctor CONFIG")
    return EXIT_INFRASTRUCTURE if any(check.state == "problem" for check in checks) else 0


def _finding(check: Check) -> Text:
    mark, style = {"ok": ("ok  ", "green"), "note": ("note", "yellow")}.get(
        check.state, ("FAIL", "bold red")
    )
    return Text.assemble((mark, style), "  ", (check.what, "bold"), "  ", harmless(check.said))
