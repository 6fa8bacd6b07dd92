"""Runs from Python: the same runs as those of the command line."""

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest
import yaml

import safejury as sj
from safejury.agents import Juror, load_persona
from safejury.models import ModelRegistry, Usage
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
SEATS = ("clinician", "lawyer", "sceptic")
NOWHERE = "http://127.0.0.1:9/v1"


def says(body: Mapping[str, Any]) -> str:
    """Answer as the target, or as a juror who finds it safe."""
    return "An answer." if body["model"] == "target" else ballot("safe", 4)


def jury_at(url: str, **options: Any) -> sj.Jury:
    """Return the jury of `Workplace.config`."""
    seats = [sj.seat(name, sj.endpoint(url, f"{name}-model")) for name in SEATS]
    return sj.Jury.of(*seats, **options)


def config_of(run: str) -> dict[str, Any]:
    """Return the config that a run keeps."""
    return yaml.safe_load(Path("runs", run, "run.yaml").read_text(encoding="utf-8"))


def kept_in(folder: str) -> bytes:
    """Return all that the files in a folder hold, nothing where there is none."""
    return b"".join(path.read_bytes() for path in Path(folder).rglob("*") if path.is_file())


def target_at(url: str) -> Any:
    """Return the target of `Workplace.config`."""
    return sj.target(sj.endpoint(url, "target"), name="examined")


async def answers(query: sj.Query) -> str:
    """Answer as a product of the user's own."""
    return f"About {query.id}."


class Answers:
    """Answers as an object that can be called."""

    async def __call__(self, query: sj.Query) -> str:
        return await answers(query)


def test_a_run_from_python_and_its_config_resume_each_other(
    workplace: Any, scripted: Start
) -> None:
    server = scripted(says)
    config = workplace.config(server.base_url)
    said: dict[str, Any] = {
        "targets": target_at(server.base_url),
        "jury": jury_at(server.base_url),
        "name": "first",
        "limits": {"attempts": 1},
    }
    result = sj.evaluate_sync("queries.jsonl", **said)
    assert result.is_finished
    asked = len(server.requests)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert "3 of 3 cases" in ended.err
    assert len(server.requests) == asked
    own = config_of("first")
    from_python = sj.evaluate_sync("queries.jsonl", **said)
    assert from_python.summary.finished == 3
    assert len(server.requests) == asked
    assert config_of("first") == own


@pytest.mark.parametrize(
    ("changes", "jury", "target"),
    [
        (
            {"jury__protocol": {"preset": "vote", "rule": "k_of_n", "k": 2}},
            {"protocol": "vote", "rule": sj.Rule("k_of_n", k=2)},
            {},
        ),
        (
            {"jury__max_tokens": 200, "targets__0__temperature": 0.5},
            {"max_tokens": 200},
            {"temperature": 0.5},
        ),
        ({"targets__0__system": "You are kind."}, {}, {"system": "You are kind."}),
        (
            {"jury__foreperson": {"base_url": NOWHERE, "model": "chair"}},
            {"foreperson": sj.endpoint(NOWHERE, "chair")},
            {},
        ),
    ],
)
def test_what_a_config_says_python_says_too(
    workplace: Any,
    scripted: Start,
    changes: dict[str, Any],
    jury: dict[str, Any],
    target: dict[str, Any],
) -> None:
    server = scripted(says)
    url = server.base_url
    config = workplace.config(url, **changes)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    asked = len(server.requests)
    under_test = sj.target(sj.endpoint(url, "target"), name="examined", **target)
    result = sj.evaluate_sync(
        "queries.jsonl", targets=under_test, jury=jury_at(url, **jury), name="first"
    )
    assert result.summary.finished == 3
    assert len(server.requests) == asked


def test_another_model_is_another_run(workplace: Any, scripted: Start) -> None:
    server = scripted(says)
    workplace.safejury("run", workplace.config(server.base_url))
    other = sj.target(sj.endpoint(server.base_url, "other"), name="examined")
    with pytest.raises(sj.RecordError, match=r"targets\[0\].model was \"target\" and is \"other\""):
        sj.evaluate_sync(
            "queries.jsonl", targets=other, jury=jury_at(server.base_url), name="first"
        )


async def test_a_function_is_under_test_beside_a_model(workplace: Any, scripted: Start) -> None:
    server = scripted(says)
    workplace.queries()
    result = await sj.evaluate(
        "queries.jsonl",
        targets=[sj.endpoint(server.base_url, "target"), answers],
        jury=jury_at(server.base_url),
    )
    assert [target.name for target in result.summary.targets] == ["answers", "target"]
    cases = result.cases(reveal=True)
    assert {case["answer"] for case in cases} == {
        *("An answer.", "About q1.", "About q2.", "About q3.")
    }
    assert {case["verdict"] for case in cases} == {"safe"}
    run = config_of("run")
    assert run["targets"][1]["function"].endswith(":answers")


async def test_targets_of_one_name_are_numbered(workplace: Any, scripted: Start) -> None:
    server = scripted(says)
    workplace.queries()
    models = [sj.endpoint(server.base_url, name) for name in ("a/Target", "b/target", "Target")]
    result = await sj.evaluate(
        "queries.jsonl", targets=models, jury=jury_at(server.base_url), limit=1
    )
    names = [target.name for target in result.summary.targets]
    assert sorted(names) == ["Target", "Target_3", "target_2"]


async def test_the_seed_and_the_limits_are_the_runs(workplace: Any, scripted: Start) -> None:
    """Of models and of functions alike."""
    server = scripted(says)
    workplace.queries()
    under_way, most = [0], [0]

    async def counted(query: sj.Query) -> str:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        for _ in range(20):
            await asyncio.sleep(0)
        under_way[0] -= 1
        return "Fine."

    targets = [counted, target_at(server.base_url)]
    jury, limits = jury_at(server.base_url), {"concurrency": 1}
    await sj.evaluate("queries.jsonl", targets=targets, jury=jury, seed=41, limits=limits)
    assert {body["seed"] for body in server.requests} == {41}
    assert most == [1]


async def test_what_a_dict_says_counts_as_in_a_config(workplace: Any, scripted: Start) -> None:
    """Null is a value, and paths and tuples are what YAML has no words for."""
    server = scripted(says)
    workplace.queries()
    prompt = workplace.path / "system.txt"
    prompt.write_text("You are kind.")
    target = {"name": "t", "base_url": server.base_url, "model": "target"}
    juror = {"persona": "clinician", "base_url": server.base_url, "model": "m"}
    await sj.evaluate(
        {"path": Path("queries.jsonl"), "limit": 1},
        targets={**target, "system": {"file": prompt}},
        jury={"jurors": (juror,)},
        limits={"outage_patience": None},
    )
    assert config_of("run")["limits"]["outage_patience"] is None
    assert "You are kind." in str(server.requests[0]["messages"])


async def test_a_budget_does_not_bind_what_a_function_spends_and_that_is_said(
    workplace: Any, scripted: Start
) -> None:
    workplace.queries()
    model = sj.endpoint(scripted(says).base_url, "m", price=0)
    jury, limits = sj.Jury.of("clinician", model=model), {"max_cost_usd": 1.0}
    result = await sj.evaluate("queries.jsonl", targets=answers, jury=jury, limits=limits)
    assert "limits.max_cost_usd does not bind answers, whose price is unknown." in result.notes


async def test_what_a_function_raises_is_an_error_that_stays_in_the_denominator(
    workplace: Any, scripted: Start
) -> None:
    server = scripted(says)
    workplace.queries()
    broken = [True]

    async def fails(query: sj.Query) -> str:
        if broken and query.id == "q2":
            raise RuntimeError("the product is down")
        return "Fine."

    said: dict[str, Any] = {"targets": fails, "jury": jury_at(server.base_url)}
    result = await sj.evaluate("queries.jsonl", **said)
    by_query = {case["query_id"]: case for case in result.cases()}
    assert (by_query["q2"]["response"], by_query["q2"]["verdict"]) == ("error", "no_verdict")
    (target,) = result.summary.targets
    assert (target.verdicts, target.cases, target.coverage) == (2, 3, 2 / 3)
    (note,) = [note for note in result.notes if "RuntimeError" in note]
    assert "the product is down" not in note  # it may quote the question
    assert "--reveal has its words" in note
    broken.clear()
    again = await sj.evaluate("queries.jsonl", **said, retry_failed=True)
    assert again.summary.targets[0].verdicts == 3


async def test_a_function_that_returns_no_text_ends_the_run_with_one_line(
    workplace: Any, scripted: Start
) -> None:
    workplace.queries()

    async def none(query: sj.Query) -> Any:
        return None

    with pytest.raises(sj.ConfigurationError, match="'none' returned None, and not text or a R"):
        await sj.evaluate("queries.jsonl", targets=none, jury=jury_at(scripted(says).base_url))


async def test_a_changed_function_is_another_run(workplace: Any, scripted: Start) -> None:
    server = scripted(says)
    workplace.queries()

    def made(source: str) -> Any:
        scope: dict[str, Any] = {"__name__": "product"}
        exec(source, scope)  # noqa: S102 - as a notebook does
        return scope["ask"]

    jury = jury_at(server.base_url)
    await sj.evaluate("queries.jsonl", targets=made("async def ask(q): return 'a'"), jury=jury)
    await sj.evaluate("queries.jsonl", targets=made("async def ask(q): return 'a'"), jury=jury)
    with pytest.raises(sj.RecordError, match=r"functions\.ask\.sha256 was"):
        await sj.evaluate("queries.jsonl", targets=made("async def ask(q): return 'b'"), jury=jury)


def test_a_config_names_a_function_as_well(workplace: Any, scripted: Start) -> None:
    server = scripted(says)
    (workplace.path / "my_product.py").write_text(
        "async def ask(text: str) -> str:\n    return text.upper()\n"
    )
    targets = [{"name": "mine", "function": "my_product:ask"}]
    config = workplace.config(server.base_url, targets=targets)
    assert workplace.safejury("run", config).code == 0
    assert workplace.responses()["q1/mine/0"]["text"] == "QUESTION Q1?"
    targets[0]["function"] = "my_product:tell"
    workplace.safejury("run", workplace.config(server.base_url, targets=targets)).refused(
        "the target 'my_product:tell'", "has no function 'tell'"
    )


async def test_datasets_are_lists_and_tables(workplace: Any, scripted: Start) -> None:
    server = scripted(says)
    said: dict[str, Any] = {"targets": answers, "jury": jury_at(server.base_url)}
    queries = [sj.Query("a", "bias", "Why?", sj.Intent.BENIGN)]
    result = await sj.evaluate(queries, **said, name="list")
    assert [case["scenario"] for case in result.cases()] == ["inappropriate_opinions.bias"]
    line = {"id": "b", "scenario": "bias", "text": "How?", "intent": "harmful"}
    assert (await sj.evaluate([line], **said, name="lines")).summary.finished == 1
    frame = pd.DataFrame({"ask": ["x", None], "kind": ["benign", "harmful"], "n": [1, 2]})
    mapping = {"text": "ask", "intent": "kind", "labels.n": "n"}
    result = await sj.evaluate(frame, map=mapping, **said, name="frame")
    assert [(case["query_id"], case["labels.n"]) for case in result.cases()] == [("dataset-1", "1")]
    assert any("1 item of the set" in note or "1 of 2" in note for note in result.notes)
    again = await sj.evaluate(frame, map=mapping, **said, name="frame")
    assert again.is_finished
    with pytest.raises(
        sj.RecordError, match=r"1 judged query is no more in the set \(such as 'b'\)"
    ):
        await sj.evaluate(queries, **said, name="lines")


async def test_a_set_that_was_loaded_is_the_set_of_that_name(
    workplace: Any, scripted: Start
) -> None:
    said: dict[str, Any] = {
        "targets": answers,
        "jury": jury_at(scripted(says).base_url),
        "limit": 2,
    }
    await sj.evaluate("mini", **said)
    assert (await sj.evaluate(sj.load_dataset("mini"), **said)).summary.finished == 2


async def test_cases_are_rows_and_a_data_frame(workplace: Any, scripted: Start) -> None:
    def refuses(body: Mapping[str, Any]) -> str:
        if body["model"] == "target":
            return "<b>An answer.</b>"
        return "I would rather not." if "q2" in str(body["messages"]) else ballot("unsafe", 1)

    server = scripted(refuses)
    workplace.queries()
    jury, target = jury_at(server.base_url), target_at(server.base_url)
    result = await sj.evaluate("queries.jsonl", targets=target, jury=jury)
    frame = result.cases().to_pandas()
    assert list(frame["verdict"]) == ["unsafe", "no_verdict", "unsafe"]
    assert list(frame["no_vote"]) == [0, 3, 0]
    assert "question" not in frame
    assert next(iter(result.cases(reveal=True)))["question"] == "Question q1?"
    shown = result.cases()._repr_html_()  # pyright: ignore[reportPrivateUsage]
    assert shown.count("<tr>") == 4
    assert "An answer" not in shown
    revealed = result.cases(reveal=True)._repr_html_()  # pyright: ignore[reportPrivateUsage]
    assert "&lt;b&gt;An answer." in revealed


def test_a_result_shows_the_report_and_withholds_what_was_said(
    workplace: Any, scripted: Start
) -> None:
    server = scripted(says)
    workplace.queries()
    jury, target = jury_at(server.base_url), target_at(server.base_url)
    result = sj.evaluate_sync("queries.jsonl", targets=target, jury=jury, name="first")
    assert repr(result).startswith("<Result runs/first: 3 cases>\n  examined: attack success 0.0 %")
    page = result._repr_html_()  # pyright: ignore[reportPrivateUsage]
    for shown in (str(result), page, result.report("md"), result.report("csv")):
        assert "examined" in shown
        assert "Question q1" not in shown
        assert "An answer" not in shown
    told = json.loads(result.report("json"))
    assert told["targets"][0]["cases"] == 3
    assert told["targets"] == workplace.report()["targets"]
    transcript = result.transcript("q1")
    assert "Question q1" not in str(transcript)
    (workplace.path / "shown").mkdir()
    transcript.export("shown/case.md", reveal=True)
    assert b"Question q1" in kept_in("shown")


async def test_an_unfinished_run_says_so(workplace: Any, scripted: Start) -> None:
    server = scripted(says, faults={"refuse": 0.0})
    workplace.many(12)
    limits = {"max_tokens_total": 3000, "concurrency": 1}
    said: dict[str, Any] = {
        "targets": target_at(server.base_url),
        "jury": jury_at(server.base_url, protocol="vote"),
        "name": "first",
    }
    result = await sj.evaluate("queries.jsonl", **said, limits=limits)
    assert result.stopped is not None
    assert not result.is_finished
    loaded = sj.load("runs/first")
    assert not loaded.is_finished
    assert f"unfinished, {loaded.summary.unfinished}" in repr(loaded)
    assert any("unfinished" in note.lower() for note in loaded.notes), loaded.notes
    whole = await sj.evaluate("queries.jsonl", **said)
    assert whole.is_finished
    assert whole.stopped is None


async def cut_short(query: sj.Query) -> sj.Response:
    """Answer with words that its token cap cut short, and say what they cost."""
    return sj.Response(sj.ResponseOutcome.TRUNCATED, f"About {query.id}, it", cost_usd=0.25)


@pytest.mark.parametrize("function", [answers, cut_short])
async def test_a_budget_that_covers_no_ballot_finishes_no_case(
    workplace: Any, scripted: Start, function: Any
) -> None:
    """However often the run is resumed: a case that nobody judged would have no verdict."""
    server = scripted(says)
    workplace.many(6)
    model = sj.endpoint(server.base_url, "m", price={"input": 1000, "output": 1000})
    said: dict[str, Any] = {
        "targets": function,
        "jury": sj.Jury.of("clinician", model=model),
        "truncated": "judge",
    }
    limits = {"max_cost_usd": 2, "concurrency": 1}
    done = list[int]()
    for _ in range(3):
        result = await sj.evaluate("queries.jsonl", **said, limits=limits)
        assert result.stopped is not None
        done.append(result.summary.finished)
    assert 0 < done[0] < 6
    assert done == done[:1] * 3
    assert {case["verdict"] for case in sj.load("runs/run").cases()} == {"safe"}
    whole = await sj.evaluate("queries.jsonl", **said)
    assert [case["verdict"] for case in whole.cases()] == ["safe"] * 6
    assert workplace.safejury("verify", "runs/run").code == 0


async def test_what_a_retry_replaced_counts_whole_beside_what_a_function_took(
    workplace: Any, scripted: Start
) -> None:
    """The parts add up: the targets' own, those of failed calls, and those of replaced ones."""
    workplace.queries()
    failing = [True]

    def juror(body: Mapping[str, Any]) -> ScriptedReply:
        if failing and body["model"] == "lawyer":
            return ScriptedReply("down", status=501)
        return ScriptedReply(ballot("safe", 4))

    server, answered = scripted(juror), list[str]()

    async def product(query: sj.Query) -> sj.Response:
        answered.append(query.id)
        usage = Usage(100, 0, 50)
        text = f"Answer {len(answered)}."
        return sj.Response(sj.ResponseOutcome.ANSWERED, text, usage=usage, cost_usd=0.5)

    def seat(name: str) -> Any:
        return sj.seat(name, sj.endpoint(server.base_url, name, price={"input": 10, "output": 10}))

    jury = sj.Jury.of(*map(seat, SEATS), protocol="vote")
    said: dict[str, Any] = {"targets": product, "jury": jury, "limits": {"attempts": 1}}
    await sj.evaluate("queries.jsonl", **said)
    failing.clear()
    result = await sj.evaluate("queries.jsonl", **said, retry_failed=True)
    (target,), spent = result.summary.targets, result.summary.spent
    assert spent is not None
    assert spent.replaced.usd > 0
    assert target.tokens.prompt is not None
    assert target.tokens.completion is not None
    tokens = target.tokens.prompt + target.tokens.completion - 3 * 150
    assert spent.total.tokens == tokens + spent.replaced.tokens
    assert target.cost_usd is not None
    assert spent.total.usd == pytest.approx(target.cost_usd - 3 * 0.5 + spent.replaced.usd)


async def test_a_report_says_that_the_whole_run_is_without_what_a_function_took(
    workplace: Any, scripted: Start
) -> None:
    server = scripted(says)
    workplace.queries()
    model = sj.endpoint(server.base_url, "m", price=0)
    said: dict[str, Any] = {"jury": sj.Jury.of("clinician", model=model), "truncated": "judge"}
    result = await sj.evaluate("queries.jsonl", targets=cut_short, **said)
    assert result.summary.targets[0].cost_usd == 0.75
    for form in ("table", "md"):
        assert "$0.00, without what the function cut_short took." in result.report(form)
    assert json.loads(result.report("json"))["run"]["spent"]["functions"] == ["cut_short"]
    other = sj.target(sj.endpoint(server.base_url, "target", price=0))
    models = await sj.evaluate("queries.jsonl", targets=other, name="models", **said)
    assert "without what" not in models.report("md")


async def test_a_model_that_never_answers_is_an_error(workplace: Any) -> None:
    workplace.queries()
    with pytest.raises(sj.FirstContactError, match=r"127\.0\.0\.1:9"):
        await sj.evaluate("queries.jsonl", targets=answers, jury=jury_at(NOWHERE))


async def test_keys_are_sent_and_kept_in_no_file(
    workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-of-python-0123456789abcdef"
    monkeypatch.setenv("MY_KEY", key)
    server = scripted(says, api_key=key)
    workplace.queries()
    given = sj.endpoint(server.base_url, "target", api_key=key)
    named = sj.endpoint(server.base_url, "m", api_key_env="MY_KEY", request={"top_k": 3})
    assert key not in f"{given!r} {named!r} {sj.target(given)!r}"
    jury = sj.Jury.of(*SEATS, model=named)
    result = await sj.evaluate("queries.jsonl", targets=given, jury=jury)
    assert result.is_finished
    assert key.encode() not in kept_in("runs")
    run = config_of("run")
    assert run["jury"]["jurors"][0]["api_key_env"] == "MY_KEY"
    assert run["jury"]["jurors"][0]["request"]["top_k"] == 3


async def test_judge_has_finding_rating_and_cost(scripted: Start) -> None:
    server = scripted(ballot("unsafe", 2))
    model = sj.endpoint(server.base_url, "m", price={"input": 1, "output": 2})
    jury = sj.Jury.of(*SEATS, model=model)
    verdict = await sj.judge("May I?", "Yes.", jury=jury, scenario="legal advice")
    assert (verdict.finding, verdict.rating, verdict.rounds) == (sj.Finding.UNSAFE, 2, 1)
    assert verdict.cost_usd is not None
    assert verdict.cost_usd > 0
    filtered = sj.Response(sj.ResponseOutcome.FILTERED, "")
    assert (await sj.judge("May I?", filtered, jury=jury)).finding is None
    assert len(server.requests) == 3


async def test_judge_uses_an_open_jury_of_agents_as_it_is(scripted: Start) -> None:
    async with ModelRegistry() as registry:
        model = registry.open(sj.endpoint(scripted(ballot("unsafe", 2)).base_url, "m"))
        jury = sj.Jury({"lawyer": Juror("lawyer", load_persona("lawyer"), model)})
        with pytest.raises(sj.ConfigurationError, match="open a jury that is made of agents"):
            await sj.judge("May I?", "Yes.", jury=jury)
        async with jury:
            assert (await sj.judge("May I?", "Yes.", jury=jury)).tally == {"unsafe": 1}
            assert jury.is_open


@pytest.mark.parametrize(
    ("question", "response", "options", "said"),
    [
        ("", "Yes.", {}, "judge: the question must be text, and not"),
        ("May I?", None, {}, "judge: the response must be text, and not 'None'"),
        ("May I?", "Yes.", {"scenario": "nonsense"}, "unknown scenario 'nonsense'"),
        ("May I?", "Yes.", {"images": ["no.png"]}, "no.png"),
        (
            sj.Query("q", "bias", "Why?", sj.Intent.BENIGN),
            "Yes.",
            {"scenario": "bias"},
            "a Query has its own scenario",
        ),
    ],
)
async def test_what_cannot_be_judged_is_told(
    question: Any, response: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(sj.ConfigurationError, match=said):
        await sj.judge(question, response, jury=jury_at(NOWHERE), **options)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"targets": []}, "evaluate: targets is empty"),
        ({"targets": [3]}, r"evaluate: targets\[0\] is '3': give a model"),
        ({"targets": "gpt-4o"}, "model: the model 'gpt-4o' has no base_url|has no base_url"),
        ({"targets": lambda query: "x"}, "is not async"),  # pyright: ignore
        (
            {"targets": sj.target(answers, temperature=0.5)},
            "target: temperature of 'answers' is for a model: leave it out of a function",
        ),
        (
            {"targets": sj.target(Path("a.jsonl"), system="x")},
            "is for a model: leave it",
        ),
        ({"targets": {"name": "x", "modle": "y"}}, "evaluate: unknown key 'modle'"),
        ({"targets": [answers, answers], "name": "a/b"}, "evaluate: run.name must be letters"),
        ({"jury": "clinician"}, "evaluate: the jury is \"'clinician'\": give one from sj.Jury"),
        ({"jury": {"jurors": []}}, "evaluate: jury.jurors is empty"),
        ({"limits": {"concurency": 3}}, "evaluate: unknown key 'concurency' .did you mean"),
        ({"limits": {"concurrency": 0}}, "evaluate: limits.concurrency must be at least 1, not 0"),
        ({"epochs": 0}, "evaluate: run.epochs must be at least 1, not 0"),
        ({"dataset": 5}, "evaluate: the dataset is '5': give a name such as 'mini'"),
        ({"dataset": []}, "dataset: holds no queries"),
        ({"dataset": "no.jsonl"}, "no.jsonl"),
        ({"dataset": ["What?"]}, "dataset"),
        ({"scenarios": ["nonsense"]}, "unknown scenario 'nonsense'"),
    ],
)
async def test_what_cannot_be_evaluated_is_told_in_one_line(
    workplace: Any, change: dict[str, Any], said: str
) -> None:
    given: dict[str, Any] = {"dataset": "mini", "targets": answers, "jury": jury_at(NOWHERE)}
    given |= change
    with pytest.raises(sj.ConfigurationError, match=said) as caught:
        await sj.evaluate(given.pop("dataset"), **given)
    assert "\n" not in str(caught.value)
    assert kept_in("runs") == b""


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: sj.endpoint("127.0.0.1:8000", "m"), "127.0.0.1:8000"),
        (lambda: sj.endpoint(NOWHERE, ""), "endpoint: model must not be empty"),
        (lambda: sj.endpoint(NOWHERE, "m", api_key_env="NO_SUCH_KEY"), "NO_SUCH_KEY is not set"),
        (lambda: sj.endpoint(NOWHERE, "m", api_key="a", api_key_env="B"), "not both"),
        (lambda: sj.endpoint(NOWHERE, "m", api_key=" "), "api_key is empty"),
        (lambda: sj.endpoint(NOWHERE, "m", timeout=-1), "endpoint: timeout must be more than 0"),
        (lambda: sj.endpoint(NOWHERE, "m", request={"topk": 1}), "unknown key 'topk'"),
        (lambda: sj.model("gpt-4o"), "the model 'gpt-4o' has no base_url"),
    ],
)
def test_a_model_that_cannot_be_right_is_told(make: Callable[[], object], said: str) -> None:
    with pytest.raises(sj.ConfigurationError, match=said):
        make()


def test_a_script_without_a_loop_uses_the_twins(workplace: Any, scripted: Start) -> None:
    server = scripted(says)
    workplace.queries()
    jury = jury_at(server.base_url)
    assert sj.judge_sync("May I?", "Yes.", jury=jury).finding is sj.Finding.SAFE
    result = sj.evaluate_sync("queries.jsonl", targets=answers, jury=jury)
    assert result.is_finished


async def test_where_a_loop_runs_the_twins_say_to_await() -> None:
    with pytest.raises(sj.ConfigurationError, match=r"write `await judge\(\.\.\.\)`"):
        sj.judge_sync("May I?", "Yes.", jury=jury_at(NOWHERE))


def test_what_is_no_run_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(sj.RecordError, match="there is no run here"):
        sj.load(tmp_path)


async def test_progress_is_shown_where_it_is_asked_for(
    workplace: Any, scripted: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    server = scripted(says)
    workplace.queries()
    said: dict[str, Any] = {"targets": answers, "jury": jury_at(server.base_url)}
    await sj.evaluate("queries.jsonl", **said)
    assert capsys.readouterr().err == ""
    await sj.evaluate("queries.jsonl", **said, name="other", progress=True)
    assert "3 of 3 cases · 3 safe" in capsys.readouterr().err


def test_the_engine_is_chosen_as_on_the_command_line(workplace: Any) -> None:
    """A cluster that is not there is one clear line, as is what says nothing without one."""
    said: dict[str, Any] = {"targets": target_at(NOWHERE), "jury": jury_at(NOWHERE)}
    workplace.queries()
    with pytest.raises(sj.ConfigurationError, match=r"^evaluate: .*are for engine='ray': add it$"):
        sj.evaluate_sync("queries.jsonl", **said, workers=2)
    with pytest.raises(sj.ConfigurationError, match=r"^evaluate: run\.engine"):
        sj.evaluate_sync("queries.jsonl", **said, engine=cast("Any", "rey"))
    for only_here in (partial(answers), Answers()):
        with pytest.raises(sj.ConfigurationError, match="a function that only this process has"):
            sj.evaluate_sync("queries.jsonl", targets=only_here, jury=said["jury"], engine="ray")
    wanted = r"needs the package ray, which|no Ray cluster at 127\.0\.0\.1:9: "
    with pytest.raises(sj.ConfigurationError, match=wanted) as refused:
        sj.evaluate_sync("queries.jsonl", **said, engine="ray", address="127.0.0.1:9")
    assert "\n" not in str(refused.value)
    assert not Path("runs").exists()
