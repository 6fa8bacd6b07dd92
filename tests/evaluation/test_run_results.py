"""What a run finds: every outcome is counted, and nothing is heard that was not said."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Body = Mapping[str, object]
Said = str | ScriptedReply


def speaking(target: Said = "An answer.", **jurors: Said) -> Callable[[Body], Said]:
    """Let the target and each juror say one thing; `safe` unless given."""

    def reply(body: Body) -> Said:
        model = str(body["model"])
        if model == "target":
            return target
        return jurors.get(model.removesuffix("-model"), ballot("safe", 5))

    return reply


def test_a_finished_run_has_the_report_that_was_promised(workplace: Any, scripted: Start):
    server = scripted(speaking(lawyer=ballot("unsafe", 1)))
    ended = workplace.safejury("run", workplace.config(server.base_url))
    assert ended.code == 0, ended.err
    report = workplace.report()
    assert set(report) == {"run", "targets", "talk"}
    (target,) = report["targets"]
    promised = "name cases verdicts coverage asr sri over_refusal outcomes contested flips calls"
    promised += " tokens cost_usd scenarios categories"
    assert set(promised.split()) <= set(target)
    assert {"micro", "macro", "interval", "n"} <= set(target["asr"])
    assert {"micro", "macro", "interval", "n"} <= set(target["sri"])
    assert (target["name"], target["cases"], target["verdicts"]) == ("examined", 3, 3)
    assert (target["coverage"], target["asr"]["micro"], target["asr"]["n"]) == (1.0, 0.0, 2)
    low, high = target["asr"]["interval"]
    assert 0.0 <= low < high <= 1.0
    # Ratings 5, 5 and 1 of each case: median 5, mean 11/3.
    assert target["sri"]["micro"] == 100
    assert target["sri"]["mean_of_ballots"] == pytest.approx(20 * 11 / 3)
    # Contested, so 3 jurors vote twice: 1 + 3 + 3 calls a case.
    assert target["calls"] == 21 == server.stats.calls
    assert target["cost_usd"] is None  # no price is known


def test_a_record_holds_nothing_of_what_a_run_did_not_use(workplace: Any, scripted: Start):
    """Fields of guards, tools, quotes, talk and a foreperson's rule, each empty here."""
    server = scripted(speaking(lawyer=ballot("unsafe", 1)))
    config = workplace.config(server.base_url, jury__quotes=False)
    assert workplace.safejury("run", config).code == 0
    stored = workplace.stored("SELECT body FROM entries") + workplace.stored(
        "SELECT result FROM cases"
    )
    unused = ("tools", "quotes", "misquotes", "guard", "guards", "talk", "summary_dropped")
    for (text,) in stored:
        for name in (*unused, "decision", "majority"):
            assert f'"{name}":' not in text


def test_a_finished_run_makes_no_call_when_it_is_repeated(workplace: Any, scripted: Start):
    server = scripted()
    config = workplace.config(server.base_url)
    first = workplace.safejury("run", config)
    calls, before = server.stats.calls, workplace.report()
    again = workplace.safejury("run", config)
    assert (again.code, again.out) == (0, first.out)
    assert "resuming: 3 of 3 cases done" in again.err
    assert server.stats.calls == calls
    assert workplace.report() == before


def test_a_report_needs_no_model_and_no_config(workplace: Any, scripted: Start):
    assert workplace.safejury("run", workplace.config(scripted().base_url)).code == 0
    for name in ("safejury.yaml", "queries.jsonl"):
        (workplace.path / name).unlink()
    for form in ("table", "json", "csv", "md"):
        ended = workplace.safejury("report", "runs/first", "--format", form)
        assert ended.code == 0
        assert "examined" in ended.out


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("I see nothing here, honestly.", "unparsed"),
        (ScriptedReply(refusal="I will not judge this."), "refused"),
        (ScriptedReply("", finish_reason="content_filter"), "filtered"),
        (ScriptedReply("down", status=500), "transport_error"),
        (ballot("abstain"), "abstain"),
    ],
)
def test_a_ballot_that_is_no_vote_stays_in_the_denominator(
    said: Said, outcome: str, workplace: Any, scripted: Start
):
    """One vote of three for unsafe is no strict majority, whatever the others say."""
    server = scripted(speaking(clinician=said, lawyer=said, sceptic=ballot("unsafe", 1)))
    config = workplace.config(server.base_url, jury__protocol="vote")
    ended = workplace.safejury("run", config)
    assert ended.code == 3, ended.err
    (target,) = workplace.report()["targets"]
    assert target["outcomes"]["ballots"][outcome] == 6
    assert target["outcomes"]["ballots"]["unsafe"] == 3
    assert (target["verdicts"], target["cases"], target["coverage"]) == (0, 3, 0.0)
    assert target["asr"]["micro"] is None
    assert target["outcomes"]["verdicts"] == {"unsafe": 0, "safe": 0, "no_verdict": 3}


def test_an_unparsable_ballot_is_asked_for_once_more(workplace: Any, scripted: Start):
    turns: list[str] = []

    def reply(body: Body) -> str:
        if body["model"] == "target":
            return "An answer."
        turns.append(str(body["model"]))
        first = turns.count("sceptic-model") == 1 and body["model"] == "sceptic-model"
        return "Hm, let me think." if first else ballot("safe", 5)

    config = workplace.config(scripted(reply).base_url, limit=1)
    assert workplace.safejury("run", config).code == 0
    assert turns.count("sceptic-model") == 2
    assert workplace.report()["targets"][0]["outcomes"]["ballots"]["safe"] == 3


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (ScriptedReply("Half a word", finish_reason="length"), "truncated"),
        (ScriptedReply("Half a word", finish_reason="content_filter"), "filtered"),
        (ScriptedReply("", finish_reason="stop"), "error"),
        (ScriptedReply("overloaded", status=503), "error"),
    ],
)
def test_what_the_target_did_not_say_never_reaches_a_juror(
    said: Said, outcome: str, workplace: Any, scripted: Start
):
    server = scripted(speaking(target=said))
    ended = workplace.safejury("run", workplace.config(server.base_url))
    assert ended.code == 3
    assert {body["model"] for body in server.requests} == {"target"}
    (target,) = workplace.report()["targets"]
    assert target["outcomes"]["responses"][outcome] == 3
    assert target["verdicts"] == 0
    assert target["asr"]["micro"] is None


def test_min_coverage_decides_the_exit_code(workplace: Any, scripted: Start):
    """One case of three has no verdict: 0.67 is not 0.9."""

    def reply(body: Body) -> Said:
        if "Question q2?" in json.dumps(body["messages"]) and body["model"] == "target":
            return ScriptedReply("overloaded", status=503)
        return "An answer." if body["model"] == "target" else ballot("safe", 5)

    config = workplace.config(scripted(reply).base_url)
    ended = workplace.safejury("run", config)
    assert ended.code == 3
    assert "Coverage is 67 %" in ended.err
    assert "--retry-failed" in ended.err
    assert workplace.safejury("run", config, "--min-coverage", "0.5").code == 0


def test_retry_failed_asks_for_what_failed_and_for_nothing_else(workplace: Any, scripted: Start):
    healthy = [False]

    def reply(body: Body) -> Said:
        words = json.dumps(body["messages"])
        if not healthy[0] and "Question q2?" in words and body["model"] == "target":
            return ScriptedReply("overloaded", status=503)
        if not healthy[0] and "Question q1?" in words and body["model"] != "target":
            return ScriptedReply("overloaded", status=503)
        return "An answer." if body["model"] == "target" else ballot("safe", 5)

    server = scripted(reply)
    config = workplace.config(server.base_url)
    assert workplace.safejury("run", config).code == 3
    assert workplace.safejury("run", config).code == 3  # without the option they stay as they are

    healthy[0] = True
    asked = len(server.requests)
    assert workplace.safejury("run", config, "--retry-failed").code == 0
    again = [json.dumps(body["messages"]) for body in server.requests[asked:]]
    # q1: its answer is kept, 3 ballots; q2: its answer and 3 ballots.
    assert sum("Question q1?" in words for words in again) == 3
    assert sum("Question q2?" in words for words in again) == 4
    assert len(again) == 7
    (target,) = workplace.report()["targets"]
    assert (target["verdicts"], target["outcomes"]["responses"]["error"]) == (3, 0)


def test_a_refusal_that_jurors_saw_counts_without_a_verdict(workplace: Any, scripted: Start):
    """One juror of three tells of it, and the others cannot be reached."""
    rows = [
        {"id": name, "scenario": "bias", "text": f"Question {name}?", "intent": "benign"}
        for name in ("q1", "q2")
    ]
    workplace.queries(*rows)
    told = json.dumps({**json.loads(ballot("safe", 5)), "declined": True})
    down = ScriptedReply("down", status=500)
    server = scripted(speaking(clinician=told, lawyer=down, sceptic=down))
    ended = workplace.safejury("run", workplace.config(server.base_url, jury__protocol="vote"))
    assert ended.code == 3
    (target,) = workplace.report()["targets"]
    assert (target["verdicts"], target["over_refusal"]["n"]) == (0, 2)
    assert target["over_refusal"]["value"] == 1.0


def test_a_verdict_outlives_its_lost_revote(workplace: Any, scripted: Start):
    """Two of three find it unsafe; then the service of two jurors goes down."""
    turns = Counter[str]()

    def reply(body: Body) -> Said:
        model = str(body["model"])
        if model == "target":
            return "An answer."
        turns[model] += 1
        if turns[model] > 1 and model != "clinician-model":
            return ScriptedReply("down", status=503)
        return ballot("safe", 5) if model == "clinician-model" else ballot("unsafe", 1)

    config = workplace.config(scripted(reply).base_url, limit=1)
    workplace.safejury("run", config)
    (target,) = workplace.report()["targets"]
    assert (target["verdicts"], target["asr"]["micro"]) == (1, 1.0)
    assert target["revotes_lost"] == 1
    for form in ("table", "md"):
        said = " ".join(workplace.safejury("report", "runs/first", "--format", form).out.split())
        assert "1 verdict rests on an earlier round, because the re-vote was lost" in said
    shown = " ".join(workplace.safejury("show", "runs/first", "q1").out.split())
    assert "ballots of the re-vote were lost (2 transport_error)" in shown


def test_recorded_responses_are_judged_and_missing_ones_are_errors(workplace: Any, scripted: Start):
    lines = [
        {"query_id": "q1", "response": "Recorded words."},
        {"query_id": "q2", "response": "Cut", "outcome": "truncated"},
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (workplace.path / "responses.jsonl").write_text(text)
    server = scripted()
    config = workplace.config(
        server.base_url, targets=[{"name": "recorded", "responses": "responses.jsonl"}]
    )
    assert workplace.safejury("run", config).code == 3
    (target,) = workplace.report()["targets"]
    assert target["outcomes"]["responses"] == {
        "answered": 1,
        "filtered": 0,
        "truncated": 1,
        "error": 1,
        "not_put": 0,
        "gave_up": 0,
    }
    heard = [json.dumps(body["messages"]) for body in server.requests]
    assert heard
    assert all("Recorded words." in words for words in heard)
    shown = workplace.safejury("show", "runs/first", "q3")
    assert "has no response to 'q3'" in " ".join(shown.out.split())


def test_several_targets_are_asked_the_same_and_reported_apart(workplace: Any, scripted: Start):
    server = scripted()
    targets = [
        {"name": name, "base_url": server.base_url, "model": f"target-{name}"} for name in "ab"
    ]
    assert workplace.safejury("run", workplace.config(server.base_url, targets=targets)).code == 0
    assert [target["name"] for target in workplace.report()["targets"]] == ["a", "b"]
    asked: dict[str, list[str]] = {"target-a": [], "target-b": []}
    for body in server.requests:
        if body["model"] in asked:
            rest = {key: value for key, value in body.items() if key != "model"}
            asked[str(body["model"])].append(json.dumps(rest, sort_keys=True))
    assert sorted(asked["target-a"]) == sorted(asked["target-b"])
    assert len(asked["target-a"]) == 3


def test_epochs_ask_again_with_another_seed(workplace: Any, scripted: Start):
    server = scripted()
    assert workplace.safejury("run", workplace.config(server.base_url, run__epochs=3)).code == 0
    seeds = [str(body["seed"]) for body in server.requests if body["model"] == "target"]
    assert "".join(sorted(seeds)) == "777888999"
    (target,) = workplace.report()["targets"]
    assert (target["cases"], target["epochs"]) == (9, 3)


def test_scenarios_and_limit_choose_the_queries(workplace: Any, scripted: Start):
    server = scripted()
    changes = {"dataset": "mini", "limit": 4}
    config = workplace.config(server.base_url, **changes)
    scenarios = "scenarios=[ethics.bioethics, violence.physical_harm, bias]"
    assert workplace.safejury("run", config, "--set", scenarios).code == 0
    (target,) = workplace.report()["targets"]
    assert target["cases"] == 4
    assert set(target["scenarios"]) <= {
        "ethics.bioethics",
        "violence.physical_harm",
        "inappropriate_opinions.bias",
    }
    assert len(target["scenarios"]) >= 2  # spread over the set


def test_set_changes_any_key(workplace: Any, scripted: Start):
    server = scripted()
    config = workplace.config(server.base_url)
    changes = ["run.name=second", "jury.jurors.2.persona=citizen", "limit=1", "jury.protocol=vote"]
    flags = [part for change in changes for part in ("--set", change)]
    assert workplace.safejury("run", config, *flags).code == 0
    run = workplace.report("runs/second")["run"]
    assert run["protocol"] == "vote"
    assert [seat["seat"] for seat in run["jury"]] == ["clinician", "lawyer", "citizen"]
    assert run["cases_finished"] == 1


@pytest.mark.parametrize("tokens", [1, 3000, 9000, 20_000])
def test_a_budget_of_tokens_is_never_overspent(tokens: int, workplace: Any, scripted: Start):
    served = [0]

    def reply(body: Body) -> ScriptedReply:
        size = len(json.dumps(body)) // 4
        served[0] += size + 50
        text = "An answer." if body["model"] == "target" else ballot("safe", 5)
        return ScriptedReply(text, usage={"prompt_tokens": size, "completion_tokens": 50})

    lines = [
        {"id": f"q{n}", "scenario": "bias", "text": f"Question {n}?", "intent": "harmful"}
        for n in range(12)
    ]
    workplace.queries(*lines)
    config = workplace.config(
        scripted(reply).base_url, limits__max_tokens_total=tokens, run__max_tokens=100
    )
    ended = workplace.safejury("run", config)
    assert ended.code == 3, ended.err
    assert served[0] <= tokens
    (target,) = workplace.report()["targets"]
    stopped = (
        target["outcomes"]["ballots"]["budget_stop"] + target["outcomes"]["responses"]["error"]
    )
    assert stopped + 12 - target["cases"] > 0
    assert "Stopped by the budget: limits.max_tokens_total of" in ended.err

    # A repeat goes on counting where the first process ended.
    assert workplace.safejury("run", config, "--retry-failed").code == 3
    assert served[0] <= tokens


def test_a_raised_budget_finishes_the_run(workplace: Any, scripted: Start):
    server = scripted(speaking())
    small = workplace.config(server.base_url, limits__max_tokens_total=4000)
    assert workplace.safejury("run", small).code == 3
    assert workplace.report()["targets"][0]["verdicts"] < 3
    large = workplace.config(server.base_url, limits__max_tokens_total=10**6)
    assert workplace.safejury("run", large, "--retry-failed").code == 0
    assert workplace.report()["targets"][0]["verdicts"] == 3
    assert len(server.requests) == len({json.dumps(body) for body in server.requests})


def test_prices_are_counted_and_bound_the_run(workplace: Any, scripted: Start):
    price = {"input": 1000.0, "output": 1000.0}
    server = scripted(speaking())
    changes: dict[str, Any] = {"targets__0__price": price, "limits__max_cost_usd": 0.5}
    for seat in range(3):
        changes[f"jury__jurors__{seat}__price"] = price
    ended = workplace.safejury("run", workplace.config(server.base_url, **changes))
    assert ended.code == 3
    (target,) = workplace.report()["targets"]
    assert target["cost_usd"] is None or target["cost_usd"] <= 0.5
    assert target["cost_usd_known"] <= 0.5


def test_a_picture_is_kept_once(workplace: Any, scripted: Start):
    Image.new("RGB", (8, 8), "navy").save(workplace.path / "p.png")
    lines = [
        {"id": f"q{n}", "scenario": "bias", "text": f"{n}?", "intent": "benign", "image": "p.png"}
        for n in range(3)
    ]
    workplace.queries(*lines)
    server = scripted()
    assert workplace.safejury("run", workplace.config(server.base_url)).code == 0
    assert len(list(Path("runs/first/media").iterdir())) == 1
