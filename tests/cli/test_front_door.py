"""What stands before and around every command: version, help, completion, logs and exit codes."""

import gc
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer
import yaml

import safejury
from safejury.cli import app
from safejury.cli.console import run_async
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]

COMMANDS = (
    *("init", "run", "serve", "judge", "deliberate", "show", "report", "verify", "generate"),
    *("export-batch", "import-batch", "demo", "doctor", "probe", "personas", "scenarios"),
    *("cases", "view", "figures", "compare", "gate", "merge", "export"),
    *("runs", "prune"),
    *("calibrate", "review", "replay", "recheck"),
    *("datasets list", "datasets show", "datasets validate", "datasets convert"),
    "datasets sample",
)
TARGETS = ("target", "my-org/target")
KEY = "key-of-the-front-door"
JURY = ("--jurors", "juror", "--url")


def reply(body: Any) -> str:
    return "An answer." if body["model"] in TARGETS else ballot("safe", 5)


def test_the_version_is_that_of_the_package(workplace: Any):
    ended = workplace.safejury("--version")
    assert (ended.code, ended.out) == (0, f"safejury {safejury.__version__}\n")


def test_garbage_is_searched_for_less_while_a_command_runs_and_as_before_afterwards():
    async def threshold() -> int:
        return gc.get_threshold()[0]

    before = gc.get_threshold()
    assert run_async(threshold()) > before[0]
    assert gc.get_threshold() == before


@pytest.mark.parametrize("command", ["", "datasets", *COMMANDS])
def test_help_is_short_for_every_command(command: str, workplace: Any):
    long, short = (workplace.safejury(*command.split(), option) for option in ("--help", "-h"))
    assert (short.code, short.out) == (0, long.out)
    if command in COMMANDS:
        assert "-v, --verbose" in short.out


def test_the_list_says_of_each_command_what_its_help_begins_with(workplace: Any):
    """The list is written without importing the commands."""
    root: Any = typer.main.get_command(app)
    for name, place in root.places.items():
        said = root.commands[name].help.partition("\n\n")[0]
        assert " ".join(said.split()).partition(". ")[0].rstrip(".") == place.summary.rstrip(".")
    assert set(root.commands) == set(root.places) == {name.split()[0] for name in COMMANDS}
    unknown = workplace.safejury("rn")
    assert (unknown.code, "Did you mean 'run'" in unknown.err) == (2, True)


@pytest.mark.parametrize("group", ["", "datasets"])
def test_no_summary_of_a_command_is_cut(
    group: str, workplace: Any, monkeypatch: pytest.MonkeyPatch
):
    """Help cuts a first sentence that does not fit beside the command's name."""
    monkeypatch.setenv("COLUMNS", "80")
    listed = workplace.safejury(*group.split(), "-h").out.partition("Commands:")[2]
    assert "List" in listed
    assert "..." not in listed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(shell: str, workplace: Any):
    typed = {"bash": {"COMP_WORDS": "safejury ru", "COMP_CWORD": "1"}}.get(
        shell, {"_TYPER_COMPLETE_ARGS": "safejury ru"}
    )
    asked = {"_SAFEJURY_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "safejury")],
        env={**os.environ, **typed, **asked},
        capture_output=True,
        text=True,
        check=False,
        cwd=workplace.path,
    )
    assert "run" in done.stdout, done.stderr
    assert "judge" not in done.stdout
    for option in ("--install-completion", "--show-completion"):
        assert option in workplace.safejury("--help").out


@pytest.fixture
def broken() -> Iterator[None]:
    """Add a command that fails in a way nobody foresaw."""
    from safejury.cli.console import guarded

    @guarded
    def broken() -> None:
        raise KeyError(KEY)

    app.command()(broken)
    yield
    app.registered_commands.pop()


@pytest.mark.usefixtures("broken")
def test_an_unexpected_error_exits_with_70_and_names_its_traceback(workplace: Any):
    workplace.safejury("broken").refused("unexpected KeyError", "add -v", code=70)
    shown = workplace.safejury("broken", "-v")
    assert shown.code == 70
    assert "Traceback (most recent call last)" in shown.err
    assert shown.err.splitlines()[-2].endswith("this is a bug in safejury: the traceback is above")


def test_a_command_that_something_ends_within_it_has_not_succeeded():
    """As code of the user's own may; only a reader of our output who has gone is no failure."""
    from safejury.cli.console import guarded

    @guarded
    def ended() -> None:
        sys.exit(0)

    with pytest.raises(typer.Exit) as left:
        ended()
    assert left.value.exit_code == 70


def test_an_unexpected_error_in_a_run_leaves_its_traceback_in_the_log(
    workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
):
    """The report of a run fails here, once the run itself is done."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"sk-{KEY} \x1b[31m")

    monkeypatch.setattr("safejury.cli.results.show_table", fail)
    ended = workplace.safejury("run", workplace.config(scripted().base_url))
    ended.refused("unexpected RuntimeError", "the traceback is in runs/first/run.log", code=70)
    log = (workplace.path / "runs/first/run.log").read_text()
    assert "Traceback (most recent call last)" in log
    assert "exit code 70" in log
    assert KEY not in log + ended.err
    assert "\x1b" not in log


def test_a_run_is_logged_for_its_owner_alone(workplace: Any, scripted: Start):
    calls: list[object] = []

    def busy_once(body: Any) -> ScriptedReply | str:
        calls.append(None)
        return ScriptedReply(status=503) if len(calls) == 1 else reply(body)

    config = workplace.config(scripted(busy_once).base_url, limits__attempts=3)
    assert workplace.safejury("run", config).code == 0
    path = workplace.path / "runs/first/run.log"
    log = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for said in (f"safejury run {config}", "3 cases; targets examined", "retry 1 in", "after 503"):
        assert said in log
    assert "Question q" not in log
    assert log.rstrip().endswith("exit code 0")

    again = workplace.safejury("run", config, "-v")
    assert path.read_text().startswith(log)
    resumed = path.read_text().removeprefix(log)
    assert "resuming: 3 of 3 cases done" in resumed
    assert "resuming: 3 of 3 cases done" in again.err
    assert "config: dataset queries.jsonl" in again.err


def test_a_config_that_cannot_be_used_leaves_no_log(workplace: Any):
    workplace.safejury("run", workplace.config(jury__protocol="vite")).refused("vite")
    assert not (workplace.path / "runs").exists()


def test_a_run_without_a_config(workplace: Any, scripted: Start):
    url = scripted(reply).base_url
    target = ("--target-url", url, "--target-model", "my-org/target")
    ended = workplace.safejury("run", *target, *JURY, url, "--limit", "3")
    assert ended.code == 0, ended.err
    cases = workplace.stored("SELECT case_id FROM cases", run="runs/target")
    assert len(cases) == 3
    assert all(case.split("/")[1] == "target" for (case,) in cases)
    run = yaml.safe_load((workplace.path / "runs/target/run.yaml").read_text())
    assert [each["model"] for each in run["jury"]["jurors"]] == ["juror"] * 3
    assert "safejury show runs/target CASE" in ended.err


def test_a_run_without_a_config_is_named_placed_and_resumed(workplace: Any, scripted: Start):
    url = scripted(reply).base_url
    workplace.queries()
    command = (
        *("run", "--target-url", url, "--target-model", "my-org/target", *JURY, url),
        *("--dataset", "queries.jsonl", "--name", "mine", "--directory", "elsewhere"),
    )
    assert workplace.safejury(*command).code == 0
    assert "resuming: 3 of 3 cases done" in workplace.safejury(*command).err
    assert (workplace.path / "elsewhere/mine/run.yaml").exists()


def test_options_narrow_what_a_config_asks(workplace: Any, scripted: Start):
    config = workplace.config(scripted().base_url)
    two = ("--scenario", "violence.physical_harm", "--scenario", "ethics.bioethics")
    ended = workplace.safejury("run", config, *two, "--name", "two")
    assert ended.code == 0, ended.err
    assert len(workplace.stored("SELECT case_id FROM cases", run="runs/two")) == 2
    assert workplace.safejury("run", config, *two, "--limit", "1", "--name", "one").code == 0
    assert len(workplace.stored("SELECT case_id FROM cases", run="runs/one")) == 1
    workplace.safejury("run", config, "--scenario", "ethics.bioethic").refused("'ethics.bioethics'")
    workplace.safejury("run", config, "--name", "a b").refused("--name 'a b'")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "name a config or --target-model"),
        (("--target-url", "http://127.0.0.1:9/v1"), "--target-url needs --target-model"),
        (("--target-model", "m", "--set", "limit=1"), "--set changes a config"),
        (("--target-model", "m", "--url", "http://127.0.0.1:9/v1"), "need --jurors"),
        (("--target-model", "m", "--target-url", "nowhere"), "'nowhere' is not an address"),
        (("safejury.yaml", "--target-model", "m", "--jurors", "j"), "--jurors, --target-model"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    options: tuple[str, ...], said: str, workplace: Any
):
    workplace.config()
    workplace.safejury("run", *options).refused(said)
    assert not (workplace.path / "runs").exists()
