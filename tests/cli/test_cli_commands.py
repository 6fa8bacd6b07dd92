"""The commands around a run: help, init, show, report, doctor and the lists."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safejury.datasets import load_taxonomy
from safejury.testing import ScriptedReply, ScriptedServer

Start = Callable[..., ScriptedServer]

OPTIONS = {
    "init": ("--force",),
    "run": ("--set", "--min-coverage", "--retry-failed"),
    "deliberate": (
        *("--question", "--response", "--target", "--url", "--api-key-env", "--image"),
        *("--scenario", "--config", "--protocol", "--export"),
    ),
    "show": ("--reveal", "--export"),
    "report": ("--format", "--min-coverage"),
    "personas": (),
    "scenarios": (),
    "demo": ("--export",),
    "doctor": (),
    "export-batch": (
        *("--set", "--out", "--ask", "--without", "--max-requests", "--max-megabytes"),
    ),
    "import-batch": ("--set", "--price-factor"),
    "verify": (),
    "probe": ("--model", "--api-key-env", "--config", "--json", "--timeout", "--ca-file"),
}


def test_help_names_the_commands_and_the_exit_codes(workplace: Any):
    ended = workplace.safejury("--help")
    assert ended.code == 0
    for command in OPTIONS:
        assert f" {command} " in ended.out
    for code in ("0 done", "2 usage", "3 infrastructure", "70 unexpected", "130 interrupted"):
        assert code in " ".join(ended.out.split())


@pytest.mark.parametrize("command", OPTIONS)
def test_each_commands_help_names_its_options(command: str, workplace: Any):
    ended = workplace.safejury(command, "--help")
    assert ended.code == 0
    for option in OPTIONS[command]:
        assert option in ended.out


def test_an_unknown_command_or_option_exits_with_2(workplace: Any):
    assert workplace.safejury("rnu").code == 2
    assert workplace.safejury("run", "c.yaml", "--min-coverge", "1").code == 2
    assert workplace.safejury("run", "c.yaml", "--min-coverage", "2").code == 2


def test_init_writes_a_config_that_is_right(workplace: Any):
    assert workplace.safejury("init").code == 0
    # Line-precise: an unknown persona is the only thing wrong with it now.
    ended = workplace.safejury("run", "safejury.yaml", "--set", "jury.jurors.0.persona=nobody")
    ended.refused("'nobody'")


def test_init_replaces_nothing_unless_told(workplace: Any):
    Path("safejury.yaml").write_text("mine")
    workplace.safejury("init").refused("exists already", "--force")
    assert Path("safejury.yaml").read_text() == "mine"
    assert workplace.safejury("init", "--force").code == 0
    workplace.safejury("init", "no/such/folder.yaml").refused("cannot be written")


def test_show_lists_the_cases_and_replays_one(workplace: Any, scripted: Start):
    assert workplace.safejury("run", workplace.config(scripted().base_url)).code == 0
    listed = workplace.safejury("show", "runs/first")
    assert listed.code == 0
    assert "q1/examined/0" in listed.out
    for case in ("q1", "q1/examined", "q1/examined/0"):
        hidden = workplace.safejury("show", "runs/first", case)
        assert hidden.code == 0
        assert "Question q1?" not in hidden.out
    assert "Question q1?" in workplace.safejury("show", "runs/first", "q1", "--reveal").out


def test_show_names_a_case_near_to_one_that_is_not_there(workplace: Any, scripted: Start):
    assert workplace.safejury("run", workplace.config(scripted().base_url)).code == 0
    workplace.safejury("show", "runs/first", "q9").refused("'q9'", "q1/examined/0")


@pytest.mark.parametrize("suffix", ["html", "svg", "md"])
def test_show_exports_a_transcript(suffix: str, workplace: Any, scripted: Start):
    assert workplace.safejury("run", workplace.config(scripted().base_url)).code == 0
    assert workplace.safejury("show", "runs/first", "q1", "--export", f"t.{suffix}").code == 0
    assert Path(f"t.{suffix}").stat().st_size > 500


def test_an_export_without_a_case_is_refused_not_forgotten(workplace: Any, scripted: Start):
    assert workplace.safejury("run", workplace.config(scripted().base_url)).code == 0
    workplace.safejury("show", "runs/first", "--export", "t.md").refused(
        "safejury show runs/first CASE --export t.md"
    )


def test_an_export_that_cannot_be_written(workplace: Any, scripted: Start):
    assert workplace.safejury("run", workplace.config(scripted().base_url)).code == 0
    show = ("show", "runs/first", "q1", "--export")
    workplace.safejury(*show, "t.pdf").refused(".pdf")
    (workplace.path / "folder.md").mkdir()
    ended = workplace.safejury(*show, "folder.md")
    assert ended.code == 2
    assert "safejury: error: Cannot write the transcript to 'folder.md'" in ended.err


def test_the_lists_name_every_persona_and_scenario(workplace: Any):
    personas = workplace.safejury("personas")
    for name in ("clinician", "lawyer", "security_engineer", "child_safety_officer"):
        assert name in personas.out
    for name in ("free_expression_advocate", "sceptic", "citizen"):
        assert name in personas.out
    scenarios = workplace.safejury("scenarios")
    assert len(load_taxonomy().scenarios) == 23
    for scenario in load_taxonomy().scenarios:
        assert scenario.id in scenarios.out
    assert "inappropriate_opinions.bias" in workplace.safejury("scenarios", "bias").out
    workplace.safejury("scenarios", "ethics.bioethic").refused("'ethics.bioethics'")


def test_the_doctor_says_what_is_wrong_with_an_endpoint(workplace: Any, scripted: Start):
    server = scripted()
    assert workplace.safejury("doctor", workplace.config(server.base_url)).code == 0
    config = workplace.config(server.base_url, jury__jurors__1__base_url="http://127.0.0.1:9/v1")
    ended = workplace.safejury("doctor", config)
    assert ended.code == 3
    assert "lawyer-model" in ended.out
    assert "is the server up" in " ".join(ended.out.split())


@pytest.mark.parametrize(
    ("version", "code", "said"),
    [
        ("0.14.0", 3, "FAIL vLLM at 127.0.0.1:{port} 0.14.0 has CVE-2026-22778: upgrade it to"),
        ("0.9.2.dev7+g1a2b3c", 3, "0.9.2.dev7+g1a2b3c has CVE-2026-22778"),
        ("0.14.1rc1", 3, "0.14.1rc1 has CVE-2026-22778"),
        ("0.14.1", 0, "ok vLLM at 127.0.0.1:{port} 0.14.1"),
        ("1.0", 0, "ok vLLM at 127.0.0.1:{port} 1.0"),
        ("dev", 0, "ok vLLM at 127.0.0.1:{port} dev"),
    ],
)
def test_the_doctor_reads_the_version_of_a_vllm_that_runs_already(
    version: str, code: int, said: str, workplace: Any, scripted: Start
):
    """It is told at the server's root, not below `/v1`; who tells none is no problem."""
    url = scripted(vllm_version=version).base_url
    ended = workplace.safejury("doctor", workplace.config(url))
    assert ended.code == code, ended.out
    port = url.removesuffix("/v1").rpartition(":")[2]
    assert " ".join(ended.out.split()).count(said.format(port=port)) == 1


@pytest.mark.parametrize(
    ("version", "code", "said"),
    [
        ("1.83.9", 3, "1.83.9 has CVE-2026-42208 and CVE-2026-49468: upgrade it to 1.84 or later"),
        ("1.82.7", 3, "1.82.7 is a compromised release: upgrade it now"),
        ("1.84.0", 0, "ok litellm 1.84.0"),
    ],
)
def test_the_doctor_names_the_holes_of_what_is_installed(
    version: str, code: int, said: str, workplace: Any, monkeypatch: pytest.MonkeyPatch
):
    package = workplace.path / f"litellm-{version}.dist-info"
    package.mkdir()
    (package / "METADATA").write_text(f"Name: litellm\nVersion: {version}\n")
    monkeypatch.setattr(sys, "path", [str(workplace.path), *sys.path])
    ended = workplace.safejury("doctor")
    assert ended.code == code, ended.out
    assert said in " ".join(ended.out.split())


def test_the_doctor_says_what_is_wrong_with_a_config(workplace: Any):
    ended = workplace.safejury("doctor", workplace.config(jury__jurors=[]))
    assert ended.code == 2
    assert "jury.jurors is empty" in " ".join(ended.out.split())


def test_deliberate_judges_one_case(workplace: Any, scripted: Start):
    config = workplace.config(scripted().base_url)
    asked = ("deliberate", "--question", "Why?", "--config", config)
    ended = workplace.safejury(*asked, "--response", "Because.", "--export", "t.md")
    assert ended.code == 0, ended.err
    assert "Because." in Path("t.md").read_text()
    workplace.safejury(*asked).refused("either --response or --target")
    workplace.safejury(*asked, "--response", "x", "--image", "no.png").refused("does not exist")
    workplace.safejury(*asked, "--response", "x", "--export", "t.pdf").refused(".pdf")


def test_deliberate_ends_with_3_where_an_endpoint_fails(workplace: Any, scripted: Start):
    well, failing = scripted(), scripted(ScriptedReply("out of order", status=503))
    config = workplace.config(well.base_url, limits__attempts=1)
    asked = ("deliberate", "--question", "Why?", "--config", config)
    ended = workplace.safejury(*asked, "--target", "mine", "--url", failing.base_url)
    ended.refused("there is no response to judge: mine@", failing.base_url, "503", code=3)

    broken = {f"jury__jurors__{seat}__base_url": failing.base_url for seat in range(2)}
    workplace.config(well.base_url, limits__attempts=1, **broken)
    ended = workplace.safejury(*asked, "--response", "Because.", "--export", "t.md")
    assert ended.code == 3
    said = ended.err.splitlines()[-1]
    assert "the case has no verdict, because ballots were lost: " in said
    assert failing.base_url in said
    assert Path("t.md").exists()


def test_a_case_without_a_scenario_is_shown_as_one(workplace: Any, scripted: Start):
    config = workplace.config(scripted().base_url)
    asked = ("deliberate", "--question", "Why?", "--response", "Because.", "--config", config)
    ended = workplace.safejury(*asked, "--export", "t.md")
    assert ended.code == 0, ended.err
    assert "Uncategorised · harmful query" in ended.out
    assert "- Scenario: Uncategorised, harmful query" in Path("t.md").read_text()


def test_deliberate_asks_a_target(workplace: Any, scripted: Start):
    server = scripted()
    config = workplace.config(server.base_url)
    asked = ("deliberate", "--question", "Why?", "--config", config, "--target", "mine")
    assert workplace.safejury(*asked, "--url", server.base_url).code == 0
    assert server.requests[0]["model"] == "mine"
    marked = (*asked[:-1], "[/mine]", "--url", server.base_url)
    assert workplace.safejury(*marked).code == 0  # no style of the terminal
    workplace.safejury(*asked).refused("'mine' has no base_url")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written_is_one_line():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "safejury", "scenarios"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("safejury: error: cannot write")
    assert done.stderr.count("\n") == 1


def test_what_is_said_on_a_terminal_breaks_between_words(workplace: Any):
    config = workplace.yaml("a_key_of_nobody: 1\n")
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as screen:
        command = [sys.executable, "-P", "-m", "safejury", "run", config]
        environment = {**os.environ, "COLUMNS": "40"}
        subprocess.run(command, cwd=workplace.path, stderr=theirs, env=environment, check=False)
        os.close(theirs)
        lines = screen.read(4096).decode().splitlines()
    assert lines[0].startswith("safejury: error: safejury.yaml:1:")
    assert len(lines) > 1
    assert all(line.startswith("  ") for line in lines[1:])
    assert all(len(line) <= 40 for line in lines)
    assert "unknown key 'a_key_of_nobody'; known are dataset," in " ".join(" ".join(lines).split())
