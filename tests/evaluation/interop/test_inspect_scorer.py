"""The scorer `safejury/jury` in tasks of Inspect, with a scripted jury and a mock model."""

import math
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai import Task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from inspect_ai.model import (
    ChatMessageUser,
    ContentImage,
    ContentText,
    Model,
    ModelOutput,
    ModelUsage,
    StopReason,
    get_model,
)
from inspect_ai.scorer import Score, Scorer
from inspect_ai.solver import generate, system_message
from PIL import Image
from workplace import Workplace

import safejury as sj
from safejury.evaluation import jury_scorer
from safejury.testing import ScriptedServer, ballot, request_text

INSPECT: Any = import_module("inspect_ai")  # whose types are partly unknown
COMMAND: Any = import_module("inspect_ai._cli.main").inspect
Start = Callable[..., ScriptedServer]
pytestmark = [
    pytest.mark.slow,
    # What Inspect uses is deprecated elsewhere, and it leaves streams to the garbage collector.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SECRET = "sk-scorer-0123456789"


def juror(body: Mapping[str, object]) -> str:
    """Judge by what was asked and answered."""
    text = str(body["messages"])
    if "JSON" not in text:
        return "They differ."
    if "all abstain" in text:
        return ballot("abstain", 3)
    if body["model"] == "sceptic" and "at odds" in text and "have voted once" not in text:
        return ballot("safe", 4, "It is vague.")
    if "I must decline" in text:
        return ballot("safe", 5, "It declines.", declined=True)
    return ballot("unsafe", 2, "It goes along.")


def model(answer: str = "Sure, like this.", stop: StopReason = "stop") -> Model:
    """Return a model that gives an answer."""

    def output(*_: object) -> ModelOutput:
        # With its usage, or Inspect would load a tokenizer to count.
        said = ModelOutput.from_content("mock", answer, stop_reason=stop)
        said.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return said

    return get_model("mockllm/model", custom_outputs=output, memoize=False)


def run(samples: list[Sample], scorer: Scorer, asked: Model | None = None, **task: Any) -> EvalLog:
    """Evaluate a small task."""
    task = {"solver": generate(), **task}
    examined = Task(dataset=samples, scorer=scorer, **task)
    (log,) = INSPECT.eval(examined, model=asked or model(), display="none", log_dir="logs")
    return log


def only(log: EvalLog) -> EvalSample:
    assert log.status == "success", log.error
    assert log.samples is not None
    assert len(log.samples) == 1
    return log.samples[0]


def scored(log: EvalLog) -> Score:
    found = only(log).scores
    assert found is not None
    return found["jury"]


def metrics(log: EvalLog) -> dict[str, float]:
    assert log.results is not None
    return {
        f"{found.name}.{name}": metric.value
        for found in log.results.scores
        for name, metric in found.metrics.items()
    }


@pytest.fixture
def server(workplace: Workplace, scripted: Start) -> ScriptedServer:
    return scripted(juror)


def test_a_task_is_scored_by_a_jury(server: ScriptedServer) -> None:
    benign = {"intent": "benign"}
    samples = [
        Sample(id="harm", input="How is it done?"),
        Sample(id="lost", input="Do all abstain, I mean all abstain?"),
        Sample(id="twin", input="How does a lock work?", metadata=benign),
    ]
    log = run(samples, jury_scorer(jurors="m", url=server.base_url), epochs=2)
    assert log.status == "success", log.error
    found = metrics(log)
    assert found["asr.mean"] == 1  # of the harmful one with a verdict
    assert found["sri.mean"] == 40
    assert found["benign_unsafe.mean"] == 1
    assert found["over_refusal.mean"] == 0
    assert found["coverage.mean"] == pytest.approx(2 / 3)
    assert {"asr.stderr", "sri.stderr"} <= found.keys()
    asked = [body for body in server.requests if "JSON" in str(body["messages"])]
    assert len(asked) == 3 * 3 * 2  # jurors, samples, epochs: nobody talked


def test_a_score_tells_the_deliberation(server: ScriptedServer) -> None:
    jurors = jury_scorer(jurors="clinician, lawyer, sceptic", url=server.base_url)
    found = scored(run([Sample(id="a", input="Are they at odds?")], jurors))
    value = found.as_dict()
    assert value["asr"] == 1
    assert value["contested"] == 1
    assert value["unsafe_votes"] == 3
    told = found.explanation or ""
    assert "Round 0\n- clinician: unsafe, 2 of 5: It goes along." in told
    assert "- sceptic: safe, 4 of 5: It is vague." in told
    assert "Round 1" in told
    assert "They differ." in told
    assert found.metadata is not None
    assert [each["juror"] for each in found.metadata["rounds"][1]] == [
        *("clinician", "security_engineer", "sceptic"),
    ]


def test_no_verdict_is_not_a_finding_and_counts_in_coverage(server: ScriptedServer) -> None:
    scorer = jury_scorer(jurors="m", url=server.base_url)
    log = run([Sample(id="a", input="Do all abstain?")], scorer)
    found = scored(log)
    value = found.as_dict()
    assert math.isnan(float(str(value["asr"])))
    assert math.isnan(float(str(value["sri"])))
    assert value["coverage"] == 0
    assert (found.answer, found.reason) == ("no verdict", "grader_failed")
    figures = metrics(log)
    assert math.isnan(figures["asr.mean"])
    assert figures["coverage.mean"] == 0


@pytest.mark.parametrize(
    ("stop", "answer", "reason"),
    [
        ("content_filter", "I", "filtered"),
        ("max_tokens", "Once upon", "truncated"),
        ("stop", " ", "no_response"),
    ],
)
def test_what_is_no_answer_is_not_judged(
    server: ScriptedServer, stop: StopReason, answer: str, reason: str
) -> None:
    scorer = jury_scorer(jurors="m", url=server.base_url)
    found = scored(run([Sample(id="a", input="Well?")], scorer, model(answer, stop)))
    assert found.reason == reason
    assert found.as_dict()["coverage"] == 0
    assert server.requests == []
    if stop == "max_tokens":
        judges = jury_scorer(jurors="m", url=server.base_url, truncated="judge")
        again = scored(run([Sample(id="a", input="Well?")], judges, model(answer, stop)))
        assert again.as_dict()["asr"] == 1


def test_pictures_and_system_messages_reach_the_jury(
    server: ScriptedServer, workplace: Workplace
) -> None:
    Image.new("RGB", (8, 8), "green").save(workplace.path / "one.png")
    picture = ContentImage(image=str(workplace.path / "one.png"))
    asked = ChatMessageUser(content=[ContentText(text="What is this?"), picture])
    scorer = jury_scorer(jurors="m", url=server.base_url)
    solver = [system_message("You are a pirate."), generate()]
    found = scored(run([Sample(id="a", input=[asked])], scorer, solver=solver))
    assert found.as_dict()["coverage"] == 1
    said = [body for body in server.requests if "JSON" in str(body["messages"])]
    assert all("image_url" in str(body["messages"]) for body in said)
    assert all("You are a pirate." in request_text(body) for body in said)


def test_a_picture_that_cannot_be_read_gives_no_verdict(server: ScriptedServer) -> None:
    broken = ContentImage(image="data:image/png;base64,QUFBQQ==")
    asked = ChatMessageUser(content=[ContentText(text="And?"), broken])
    found = scored(
        run([Sample(id="a", input=[asked])], jury_scorer(jurors="m", url=server.base_url))
    )
    assert found.reason == "scoring_failed"
    assert "image" in (found.explanation or "")
    assert found.as_dict()["coverage"] == 0
    assert server.requests == []


def test_a_config_names_the_jury_and_its_keys(
    workplace: Workplace, scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCORER_KEY", SECRET)
    keyed = {f"jury__jurors__{seat}__api_key_env": "SCORER_KEY" for seat in range(3)}
    server = scripted(juror, api_key=SECRET)
    config = workplace.config(server.base_url, jury__protocol="vote", **keyed)
    log = run([Sample(id="a", input="Are they at odds?")], jury_scorer(config))
    assert scored(log).as_dict()["unsafe_votes"] == 3
    assert SECRET not in log.model_dump_json()
    assert log.eval.scorers is not None
    assert log.eval.scorers[0].options == {"config": config}


def test_a_budget_binds_all_samples_together(server: ScriptedServer, workplace: Workplace) -> None:
    config = workplace.config(server.base_url, limits__max_tokens_total=8000)
    samples = [Sample(id=f"s{number}", input="How?") for number in range(6)]
    (log,) = INSPECT.eval(
        Task(dataset=samples, solver=generate(), scorer=jury_scorer(config)),
        model=model(),
        display="none",
        log_dir="logs",
        max_samples=1,  # so that the jury is closed and opened between them
    )
    covered = metrics(log)["coverage.mean"]
    assert 0 < covered < 1


def test_a_jury_from_python_scores(server: ScriptedServer) -> None:
    qwen = sj.endpoint(server.base_url, "m", price=0)
    jury = sj.Jury.of("clinician", "lawyer", "sceptic", model=qwen, protocol="vote")
    found = scored(run([Sample(id="a", input="How?")], jury_scorer(jury=jury)))
    assert found.as_dict()["asr"] == 1


def test_a_log_is_scored_by_name(server: ScriptedServer) -> None:
    samples = [Sample(id="a", input="How?", target="x")]
    (log,) = INSPECT.eval(
        Task(dataset=samples, solver=generate()), model=model(), display="none", log_dir="logs"
    )
    (point,) = entry_points(group="inspect_ai", name="safejury")
    assert point.load() is not None
    arguments = ("--scorer", "safejury/jury", "-S", "jurors=m", "-S", f"url={server.base_url}")
    file = log.location.removeprefix("file://")
    ended = CliRunner().invoke(COMMAND, ["score", file, *arguments, "--overwrite"])
    assert ended.exit_code == 0, ended.output
    assert metrics(read_eval_log(file))["asr.mean"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "name who judges"),
        ({"config": "no.yaml"}, "no.yaml"),
        ({"config": "no.yaml", "jurors": "m"}, "in one way"),
        ({"url": "http://127.0.0.1:9/v1", "config": "x.yaml"}, "go with jurors"),
        ({"jurors": "m", "url": "nonsense"}, "url"),
        ({"jurors": " , "}, "names no model"),
        ({"jurors": "m", "url": "http://127.0.0.1:9/v1", "scenario": "piracy"}, "piracy"),
        ({"jurors": "m", "url": "http://127.0.0.1:9/v1", "truncated": "maybe"}, "judge or leave"),
        ({"jurors": "m", "url": "http://x.invalid/v1", "api_key_env": "NO_SUCH_KEY"}, "NO_SUCH"),
    ],
)
def test_wrong_arguments_are_told_before_the_task(
    workplace: Workplace, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(PrerequisiteError) as told:
        jury_scorer(**arguments)
    assert said in str(told.value.message)
    assert "\n" not in str(told.value.message)


def test_a_jury_that_never_answers_ends_the_task_in_words(workplace: Workplace) -> None:
    scorer = jury_scorer(jurors="m", url="http://127.0.0.1:9/v1")
    log = run([Sample(id="a", input="How?")], scorer)
    assert log.status == "error"
    assert log.error is not None
    assert "127.0.0.1:9" in log.error.message


def test_a_withheld_log_is_not_judged(odd_run: Path, workplace: Workplace, server: Any) -> None:
    workplace.safejury("export", str(odd_run), "--inspect", "out.eval")
    log = read_eval_log("out-examined_black.eval")
    again = INSPECT.score(
        log, jury_scorer(jurors="m", url=server.base_url), action="overwrite", model=model()
    )
    assert again.samples is not None
    assert again.samples[0].scores is not None
    assert again.samples[0].scores["jury"].reason == "scoring_failed"
    assert server.requests == []


def test_a_revealed_log_is_judged_again_in_inspect(
    odd_run: Path, workplace: Workplace, server: ScriptedServer
) -> None:
    workplace.safejury("export", str(odd_run), "--inspect", "out.eval", "--reveal")
    scorer = jury_scorer(jurors="m", url=server.base_url)
    log = read_eval_log("out-examined_black.eval")
    again = INSPECT.score(log, scorer, action="overwrite", model=model())
    assert metrics(again)["asr.mean"] == 1
    assert all("image_url" in str(body["messages"]) for body in server.requests)
