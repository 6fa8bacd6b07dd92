"""Guards in runs: from a config or Python to the report, which tells them apart."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

import safejury as sj
from safejury.agents import guard_identity
from safejury.assembly import load_config
from safejury.common import ConfigurationError
from safejury.deliberation import Decision, JurySpec, Rule, Votes
from safejury.evaluation.plan import identity_of, set_up
from safejury.models import ModelSpec
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "guard.yaml"
GUARD = {"guard": "llama-guard-3", "model": "guard"}
TIE = {"preset": "contested", "tie": "unsafe"}


def _everybody(body: Mapping[str, Any]) -> ScriptedReply | str:
    """Answer as target, as Llama Guard (unsafe to q1 alone), and as jurors who find all safe."""
    if "Llama-Guard" in body["model"] or body["model"] == "guard":
        asked = body["messages"][0]["content"]
        unsafe = "q1" in asked or "hotel" in asked
        word = "unsafe" if unsafe else "safe"
        other = {"unsafe": 0.9, "safe": 0.1} if unsafe else {"unsafe": 0.2, "safe": 0.8}
        return ScriptedReply("unsafe\nS2" if unsafe else "safe", logprobs=[(word, other)])
    if body["model"] in ("target", "my-model"):
        return "Here is an answer."
    if "response_format" not in body:
        return "Three find it safe."
    return ballot("safe", 4, "It names no step.")


def _jurors(url: str, **guard: object) -> list[dict[str, object]]:
    personas: list[dict[str, object]] = [
        {"persona": name, "base_url": url, "model": name, "price": 0}
        for name in ("clinician", "lawyer", "sceptic")
    ]
    return [*personas, {**GUARD, "base_url": url, "price": 0, **guard}]


def _config(workplace: Any, url: str, **changes: object) -> str:
    return workplace.config(
        url, jury__protocol=TIE, jury__jurors=_jurors(url), targets__0__price=0, **changes
    )


def test_a_guard_beside_three_personas_is_told_apart_by_the_report(
    workplace: Any, scripted: Start
) -> None:
    """The example's config, with the addresses of a scripted server."""
    server = scripted(reply=_everybody)
    text = EXAMPLE.read_text(encoding="utf-8")
    for port in (8000, 8001, 8002):
        text = text.replace(f"http://127.0.0.1:{port}/v1", server.base_url)
    workplace.yaml(text)
    ended = workplace.safejury("run", "safejury.yaml", "--limit", "6")
    assert ended.code == 0, ended.err
    ended = workplace.safejury("report", "runs/guarded", "--format", "table")
    said = ended.out
    assert "Guards beside the general jurors, round 0" in said
    assert "mine · llama_guard_3" in said
    assert "clinician" not in said.split("Guards beside the general jurors")[1].split("Cost")[0]
    markdown = workplace.safejury("report", "runs/guarded", "--format", "md").out
    assert "- Guard llama_guard_3: 6 votes in 6 ballots" in markdown
    assert "- Juror clinician: " in markdown
    assert "differed from most of them in " in markdown
    verified = workplace.safejury("verify", "runs/guarded")
    assert verified.code == 0, verified.err


def test_its_figures_are_those_of_its_votes_beside_the_jurors(
    workplace: Any, scripted: Start
) -> None:
    """q1 is contested by the guard alone: the jurors hold, the guard is not asked again."""
    server = scripted(reply=_everybody)
    assert workplace.safejury("run", _config(workplace, server.base_url)).code == 0
    (target,) = workplace.report()["targets"]
    assert target["guards"] == {
        "llama_guard_3": {
            "asked": 3,
            "votes": 3,
            "unsafe": 1,
            "pairwise": pytest.approx(6 / 9),
            "pairs": 9,
            "compared": 3,
            "unsafe_alone": 1,
            "safe_alone": 0,
            "categories": {
                "S2 Non-Violent Crimes": {
                    "times": 1,
                    "ours": ["cybersecurity", "illegal_and_criminal_behavior"],
                }
            },
        }
    }
    assert target["jurors"]["llama_guard_3"]["asked"] == 3
    assert target["jurors"]["clinician"]["asked"] == 4
    assert target["outcomes"]["verdicts"] == {"unsafe": 0, "safe": 3, "no_verdict": 0}
    assert target["sri"]["n"] == 2
    assert sum(body["model"] == "guard" for body in server.requests) == 3
    (row,) = [row for row in workplace.csv() if row["level"] == "guard"]
    assert (row["name"], row["ballots"], row["guard_unsafe"]) == ("llama_guard_3", "3", "1")
    assert (row["guard_compared"], row["guard_unsafe_alone"]) == ("3", "1")


def test_the_record_keeps_what_it_says_and_shows_it(workplace: Any, scripted: Start) -> None:
    server = scripted(reply=_everybody)
    assert workplace.safejury("run", _config(workplace, server.base_url)).code == 0
    bodies = [
        json.loads(body)
        for (body,) in workplace.stored(
            "SELECT body FROM entries WHERE kind = 'BallotsRevealed' AND case_id LIKE 'q1/%'"
            " ORDER BY number"
        )
    ]
    first, second = ({one["juror"]: one for one in body["ballots"]} for body in bodies)
    guard = first["llama_guard_3"]
    assert guard["rating"] is None
    assert guard["guard"]["probability"] == pytest.approx(0.9)
    assert second["llama_guard_3"] == guard
    replies = workplace.stored(
        "SELECT completion FROM calls WHERE call_id LIKE '%/llama_guard_3/%'"
    )
    assert all(json.loads(reply)["logprobs"][0]["top"] for (reply,) in replies)
    assert "guard" not in first["clinician"]
    ((seats,),) = workplace.stored("SELECT value FROM meta WHERE key = 'jury'")
    assert json.loads(seats)[3] == {
        "seat": "llama_guard_3",
        "persona": "llama-guard-3",
        "title": "Llama Guard 3",
        "model": "guard",
        "guard": "llama-guard-3",
    }
    shown = workplace.safejury("show", "runs/first", "q1/examined/0").out
    assert "Not asked again: a guard's ballot stands" in shown
    assert "probability of unsafe 0.90" in shown


def test_repeating_the_command_pays_for_no_guard_twice(workplace: Any, scripted: Start) -> None:
    server = scripted(reply=_everybody)
    config = _config(workplace, server.base_url)
    assert workplace.safejury("run", config).code == 0
    calls = server.stats.calls
    workplace.stored("SELECT 1 FROM calls")
    assert workplace.safejury("run", config).code == 0
    assert server.stats.calls == calls


def test_a_batch_asks_guards_that_chat_and_leaves_the_others_to_the_run(
    workplace: Any, scripted: Start
) -> None:
    """A moderations API has another kind of batch."""
    server = scripted(reply=_everybody)
    moderation = {"guard": "openai-moderation", "model": "omni", "base_url": server.base_url}
    config = workplace.recorded(
        server.base_url, jury__jurors=[*_jurors(server.base_url), moderation]
    )
    assert workplace.safejury("export-batch", config).code == 0
    models = [line["body"]["model"] for line in workplace.lines()]
    assert models.count("guard") == 3
    assert "omni" not in models
    asked = next(line["body"] for line in workplace.lines() if line["body"]["model"] == "guard")
    assert (asked["logprobs"], asked["top_logprobs"]) == (True, 5)


def test_records_of_juries_without_guards_are_as_before_there_were_any(
    workplace: Any, scripted: Start
) -> None:
    server = scripted(reply=_everybody)
    assert workplace.safejury("run", workplace.config(server.base_url)).code == 0
    texts = [text for (text,) in workplace.stored("SELECT body FROM entries")]
    texts += [text for (text,) in workplace.stored("SELECT result FROM cases")]
    texts += [text for (text,) in workplace.stored("SELECT completion FROM calls")]
    texts += [text for (text,) in workplace.stored("SELECT value FROM meta WHERE key='identity'")]
    for text in texts:
        assert '"guard' not in text
        assert "logprobs" not in text
        assert "controversial" not in text


def test_the_table_of_its_guard_is_part_of_a_run_s_identity(workplace: Any) -> None:
    config = load_config(Path(_config(workplace, "http://127.0.0.1:9/v1")))
    known = identity_of(set_up(config, workplace.path))
    assert known["guards"] == {"llama_guard_3": guard_identity("llama-guard-3")}
    plain = load_config(Path(workplace.config()))
    assert "guards" not in identity_of(set_up(plain, workplace.path))


def test_python_and_config_mean_the_same_guard(workplace: Any) -> None:
    """So that either resumes the other's run."""
    url = "http://127.0.0.1:9/v1"
    jurors = [{"guard": "qwen3guard", "model": "g", "base_url": url, "controversial": "unsafe"}]
    said = load_config(Path(workplace.config(jury__jurors=jurors, jury__protocol="vote")))
    jury = set_up(said, workplace.path).jury
    spec = sj.Jury.of(
        sj.seat(guard="qwen3guard", model=ModelSpec("g", base_url=url), controversial="unsafe"),
        protocol="vote",
    ).spec
    assert isinstance(spec, JurySpec)
    assert spec.seats[0].info == jury.seats[0].info
    assert spec.seats[0].model == jury.seats[0].model
    assert (spec.seats[0].controversial, jury.seats[0].controversial) == ("unsafe", "unsafe")


async def test_a_guard_sits_on_a_jury_of_python() -> None:
    async with ScriptedServer(reply=_everybody) as server:
        model = sj.endpoint(server.base_url, "clinician", price=0)
        jury = sj.Jury.of(
            "clinician",
            "lawyer",
            sj.seat(guard="llama-guard-3", model=sj.endpoint(server.base_url, "guard", price=0)),
            model=model,
        )
        verdict = await sj.judge("q1?", "Yes.", jury=jury)
    assert verdict.finding is sj.Finding.SAFE
    assert verdict.guards["llama_guard_3"].finding is sj.Finding.UNSAFE
    guard = verdict.ballots[0][2]
    assert guard.probability == pytest.approx(0.9)
    assert verdict.ballots[1][2] == guard


@pytest.mark.parametrize(
    ("guard", "said"),
    [
        ({"guard": "llama-guard3"}, ["llama-guard-3"]),
        ({"model": None}, ["llama-guard-3", "no model"]),
        ({"persona": "sceptic"}, ["take `persona:` out"]),
        ({"audio": True}, ["takes no sound"]),
        ({"controversial": "safe"}, ["finds nothing controversial"]),
        ({"controversial": "maybe"}, ["controversial"]),
    ],
)
def test_what_no_guard_can_be_is_refused_before_the_first_call(
    guard: Mapping[str, object], said: list[str], workplace: Any
) -> None:
    one: dict[str, object] = {**GUARD, "base_url": "http://127.0.0.1:9/v1", **guard}
    one = {key: value for key, value in one.items() if value is not None}
    config = workplace.config(jury__jurors=[one], jury__protocol="vote")
    workplace.safejury("run", config).refused(*said)


def test_a_persona_finds_nothing_controversial(workplace: Any) -> None:
    config = workplace.config(jury__jurors__0__controversial="safe")
    workplace.safejury("run", config).refused("`controversial:` is for a `guard:`")


def test_a_rule_that_needs_ratings_is_refused_beside_a_guard() -> None:
    """Before the first call, and with the reason."""

    def counted(votes: Votes, rule: Rule) -> Decision:
        return Decision(sj.Finding.UNSAFE if votes.unsafe else sj.Finding.SAFE)

    def rated(votes: Votes, rule: Rule) -> Decision:
        rates = [cast(int, one.rating) < 3 for one in votes.ballots if one.is_vote]
        return Decision(sj.Finding.UNSAFE if any(rates) else sj.Finding.SAFE)

    model = ModelSpec("g", base_url="http://127.0.0.1:9/v1")
    guard = sj.seat(guard="llama-guard-3", model=model)
    with pytest.raises(ConfigurationError, match="the rating of a guard's ballot is None"):
        sj.Jury.of("clinician", guard, model=model, rule=rated)
    sj.Jury.of("clinician", guard, model=model, rule=counted)
    sj.Jury.of("clinician", "lawyer", model=model, rule=rated)


def test_its_calls_are_expected_and_paid_as_those_of_its_model(
    workplace: Any, scripted: Start
) -> None:
    """One call a case however often jurors vote again, and four of a guard with four principles."""
    url = scripted(reply=_everybody).base_url
    price = {"input": 1.0, "output": 2.0}
    guards = [
        {**GUARD, "base_url": url, "price": price},
        {"guard": "shieldgemma", "model": "gemma", "base_url": url, "price": price},
    ]
    config = workplace.config(url, jury__jurors=[*_jurors(url)[:3], *guards], targets__0__price=0)
    ended = workplace.safejury("run", config, "--plan")
    assert ended.code == 0, ended.err
    assert "llama_guard_3 (guard): 3 calls, " in ended.out
    assert "shieldgemma (gemma): 12 calls, " in ended.out
    assert "clinician (clinician): 3 to 6 calls, " in ended.out


def test_a_report_says_that_a_guard_s_replies_are_none(workplace: Any, scripted: Start) -> None:
    """They stay in the denominator, and no verdict is made of them."""

    def reply(body: Mapping[str, Any]) -> ScriptedReply | str:
        return "I think that it is safe." if body["model"] == "guard" else _everybody(body)

    server = scripted(reply=reply)
    assert workplace.safejury("run", _config(workplace, server.base_url)).code == 0
    report = workplace.report()
    warnings = report["run"]["warnings"]
    assert any("100.0 % of the replies of the guard llama_guard_3" in w for w in warnings)
    (target,) = report["targets"]
    assert target["jurors"]["llama_guard_3"]["outcomes"]["unparsed"] == 3
    assert target["outcomes"]["ballots"]["unparsed"] == 3


def test_doctor_sees_that_each_guard_s_reply_can_be_read(workplace: Any, scripted: Start) -> None:
    """Its model is called like any other; that of a moderations API by its own path."""
    flagged = json.dumps({"flagged": False, "categories": {}})

    def reply(body: Mapping[str, Any]) -> ScriptedReply | str:
        return flagged if "input" in body else _everybody(body)

    url = scripted(reply=reply).base_url
    moderation = {"guard": "openai-moderation", "model": "omni", "base_url": url}
    config = workplace.config(url, jury__jurors=[*_jurors(url), moderation])
    ended = workplace.safejury("doctor", config)
    assert ended.code == 0, ended.out
    said = " ".join(ended.out.split())
    assert "guard llama_guard_3 finds a harmless exchange safe, probability of unsafe 0.20" in said
    assert "guard openai_moderation finds a harmless exchange safe, without probabilities" in said


def test_doctor_says_what_server_a_guard_needs_that_answers_as_another_model(
    workplace: Any, scripted: Start
) -> None:
    """As one without the guard's chat template does."""
    url = scripted(reply="Paris is the capital of France.").base_url
    config = workplace.config(url, jury__jurors=_jurors(url), jury__protocol=TIE)
    ended = workplace.safejury("doctor", config)
    assert ended.code == 3
    said = " ".join(ended.out.split())
    assert "unparsed: it is no reply of Llama Guard 3" in said
    assert "needs a server that applies the model's own chat template" in said
