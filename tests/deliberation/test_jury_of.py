"""A jury that is described in one line: who sits on it, and how it opens its own models."""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any

import pytest

from safejury.agents import Case, Finding, Persona, load_persona
from safejury.common import ConfigurationError, FirstContactError
from safejury.deliberation import Decision, Jury, Protocol, Rule, Votes, seat
from safejury.models import ModelSpec
from safejury.testing import ScriptedReply, ScriptedServer, ballot

MakeCase = Callable[..., Case]
show = methodcaller("_repr_html_")  # as a notebook does
NOWHERE = ModelSpec("m", base_url="http://127.0.0.1:9/v1")
OWN = Persona(name="mine", title="Mine", perspective="Looks.", instructions="Look.")


def test_jurors_are_names_paths_personas_and_seats(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("name: other\ntitle: Other\nperspective: Looks.\ninstructions: Look.\n")
    own = ModelSpec("large", base_url="http://127.0.0.1:10/v1")
    jury = Jury.of("clinician", path, OWN, seat("clinician", own), model=NOWHERE, rule=Rule("any"))
    assert jury.seats == ("clinician", "other", "mine", "clinician_2")
    assert jury.spec is not None
    assert [each.model for each in jury.spec.seats] == [NOWHERE, NOWHERE, NOWHERE, own]
    assert jury.spec.seats[0].persona == load_persona("clinician")
    assert repr(jury) == "<Jury: clinician, other, mine, clinician_2; contested>"


def decided(finding: Finding, votes: Votes, rule: Rule) -> Decision:
    return Decision(finding)


def unanimous(votes: Votes, rule: Rule) -> Decision:
    return Decision(Finding.SAFE if votes.safe == votes.seats else Finding.UNSAFE)


def failing(votes: Votes, rule: Rule) -> Decision:
    raise ValueError("no")


def exiting(votes: Votes, rule: Rule) -> Decision:
    sys.exit(0)


@pytest.mark.parametrize(
    ("jurors", "options", "said"),
    [
        ((), {}, "The jury has no seats: name at least one juror"),
        (("clinician", "lawyer"), {}, "A majority of 2 seats can be tied"),
        (("clinicain",), {}, "unknown persona 'clinicain' .did you mean 'clinician'"),
        (("clinician",), {"model": None}, "the juror 'clinician' has no model: give model="),
        (("clinician",), {"model": "gpt-4o"}, "the model 'gpt-4o' has no base_url"),
        (("clinician",), {"protocol": "vot"}, "there is no protocol 'vot' .did you mean 'vote'"),
        (("clinician",), {"protocol": "safebench"}, "takes 5 jurors, but 1 are named"),
        (("clinician",), {"rule": "most"}, "Unknown aggregation rule 'most'"),
        (("clinician",), {"rule": failing}, "failing' failed for 1 unsafe"),
        (("clinician",), {"rule": exiting}, "exiting' failed for 1 unsafe, 0 safe .SystemExit: 0"),
        (("clinician",), {"max_tokens": 3}, "must be at least 16, not 3"),
        (("clinician",), {"protocol": Protocol(summary="always")}, "always sums up, but nobody"),
        ((NOWHERE,), {}, "a juror is a persona's name, the path of its file, a Persona or sj.seat"),
        (
            (seat("clinician", name="a"), seat("lawyer", name="a")),
            {"rule": "any"},
            "two jurors are named 'a'",
        ),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_opened(
    jurors: tuple[Any, ...], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Jury.of(*jurors, **(dict[str, Any](model=NOWHERE) | options))


async def test_a_jury_opens_its_models_when_it_is_entered_each_time(make_case: MakeCase) -> None:
    async with ScriptedServer(ballot("unsafe", 2)) as server:
        model = ModelSpec("m", base_url=server.base_url)
        jury = Jury.of("clinician", "lawyer", "sceptic", model=model)
        assert not jury.is_open
        for _ in range(2):
            async with jury:
                assert (await jury.hear(make_case())).tally == {"unsafe": 3}
                with pytest.raises(RuntimeError, match="is already open"):
                    await jury.__aenter__()
        assert len(server.requests) == 6


async def test_a_judgment_has_the_ballots_by_round_and_the_summary(make_case: MakeCase) -> None:
    def reply(body: Any) -> ScriptedReply:
        asked = str(body["messages"])
        if body["model"] == "chair":
            return ScriptedReply(text="They came together.")
        unsafe = "Lawyer" in asked or "have voted once" in asked
        return ScriptedReply(text=ballot("unsafe" if unsafe else "safe", 2 if unsafe else 4))

    async with ScriptedServer(reply) as server:
        model = ModelSpec("m", base_url=server.base_url)
        chair = ModelSpec("chair", base_url=server.base_url)
        jury = Jury.of("clinician", "lawyer", "sceptic", model=model, foreperson=chair)
        async with jury:
            judged = await jury.judge(make_case(text="A <b>bold</b> answer."))
    assert judged.finding is Finding.UNSAFE
    assert judged.initial_finding is Finding.SAFE
    assert [[str(vote.finding) for vote in votes] for votes in judged.ballots] == [
        ["safe", "unsafe", "safe"],
        ["unsafe", "unsafe", "unsafe"],
    ]
    assert judged.summary == "They came together."
    assert repr(judged) == "<Judgment: unsafe, rating 2 (3 unsafe)>"


async def test_a_judgment_shows_itself_and_withholds_what_was_said(make_case: MakeCase) -> None:
    words = "<script>alert(1)</script> & tangerine"
    said = ballot("safe", 4, "<img src=x onerror=alert(2)> \x1b[31mred")
    async with ScriptedServer(said) as server:
        model = ModelSpec("m", base_url=server.base_url)
        async with Jury.of("clinician", model=model) as jury:
            judged = await jury.judge(make_case(text=words))
    page, plain = show(judged), str(judged.transcript)
    for shown in (page, plain):
        assert "tangerine" not in shown
        assert "Clinician" in shown
        assert "\x1b" not in shown
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;img" in page


async def test_cases_of_one_id_are_judged_at_once(make_case: MakeCase) -> None:
    async with ScriptedServer(ballot("safe", 4)) as server:
        model = ModelSpec("m", base_url=server.base_url)
        async with Jury.of("clinician", model=model) as jury, asyncio.TaskGroup() as group:
            tasks = [group.create_task(jury.judge(make_case())) for _ in range(3)]
            judged = [await task for task in tasks]
    assert [len(each.transcript.entries) for each in judged] == [3, 3, 3]
    assert {each.transcript.target for each in judged} == {judged[0].transcript.target}


async def test_a_rule_may_be_any_function(make_case: MakeCase) -> None:
    def reply(body: Any) -> ScriptedReply:
        return ScriptedReply(
            text=ballot("unsafe" if "Lawyer" in str(body["messages"]) else "safe", 3)
        )

    async with ScriptedServer(reply) as server:
        model = ModelSpec("m", base_url=server.base_url)
        jury = Jury.of("clinician", "lawyer", model=model, protocol="vote", rule=unanimous)
        async with jury:
            judged = await jury.judge(make_case())
    assert judged.finding is Finding.UNSAFE
    assert judged.rule.endswith(":unanimous")


def always(finding: Finding) -> Any:
    """Return a rule that is made, as a lambda or a cell of a notebook is made more than once."""
    return lambda *votes_and_rule: Decision(finding)  # pyright: ignore


@pytest.mark.parametrize("made", ["lambda", "partial", "notebook"])
async def test_two_rules_of_one_name_decide_each_for_its_own_jury(
    made: str, make_case: MakeCase
) -> None:
    def rule(finding: Finding) -> Any:
        if made == "lambda":
            return always(finding)
        if made == "partial":
            return partial(decided, finding)
        scope: dict[str, Any] = {"__name__": "__main__", "Decision": Decision, "Finding": Finding}
        exec(f"def rule(votes, rule): return Decision(Finding.{finding.name})", scope)  # noqa: S102
        return scope["rule"]

    async with ScriptedServer(ballot("safe", 3)) as server:
        model = ModelSpec("m", base_url=server.base_url)
        juries = [
            Jury.of("clinician", model=model, protocol="vote", rule=rule(finding))
            for finding in Finding
        ]
        found = list[Finding | None]()
        for jury in juries:
            async with jury:
                found.append((await jury.judge(make_case())).finding)
    assert found == list(Finding)
    again = Jury.of("clinician", model=NOWHERE, protocol="vote", rule=rule(Finding.UNSAFE))
    assert juries[0].spec is not None
    assert again.spec is not None
    assert juries[0].spec.protocol.rule == again.spec.protocol.rule


def test_a_jury_that_is_open_in_another_loop_is_refused_and_does_not_hang(
    make_case: MakeCase,
) -> None:
    jury = Jury.of("clinician", model=NOWHERE)
    with asyncio.Runner() as runner:
        runner.run(jury.__aenter__())
        with pytest.raises(ConfigurationError, match="opened in another event loop or thread"):
            asyncio.run(asyncio.wait_for(jury.judge(make_case()), 20))
        runner.run(jury.__aexit__())


async def test_a_wrong_address_is_an_error_and_no_verdict(make_case: MakeCase) -> None:
    async with Jury.of("clinician", model=NOWHERE) as jury:
        with pytest.raises(FirstContactError, match=r"127\.0\.0\.1:9"):
            await jury.judge(make_case())


async def test_lost_ballots_are_no_verdict(make_case: MakeCase) -> None:
    def reply(body: Any) -> ScriptedReply:
        if "Lawyer" in str(body["messages"]):
            return ScriptedReply(text="I would rather not.")
        return ScriptedReply(text=ballot("safe", 4))

    async with ScriptedServer(reply) as server:
        model = ModelSpec("m", base_url=server.base_url)
        jury = Jury.of("lawyer", model=model, protocol="vote")
        async with jury:
            judged = await jury.judge(make_case())
    assert judged.finding is None
    assert judged.reason
    assert repr(judged).startswith("<Judgment: no verdict")
