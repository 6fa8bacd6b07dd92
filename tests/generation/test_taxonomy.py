"""The stage `taxonomy`: proposals, merging, votes and scores, and which scenarios are kept."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest
from dialogue_script import RecordedProgress
from taxonomy_script import (
    REFUSAL,
    Asked,
    PanelScript,
    Reply,
    asked,
    marks,
    proposals,
)

from safejury.common import ModelError, PanelRefusedError
from safejury.generation import (
    GenerationSettings,
    Mark,
    Proposal,
    StageContext,
    TaxonomySettings,
    TaxonomyStage,
    make_stages,
)
from safejury.testing import ScriptedReply, ScriptedServer

Open = Callable[..., AbstractAsyncContextManager[StageContext]]


@pytest.fixture
def script() -> PanelScript:
    return PanelScript()


def settings(**fields: float) -> GenerationSettings:
    taxonomy = replace(TaxonomySettings(samples=1, similarity=0.5), **fields)  # type: ignore[arg-type]
    return GenerationSettings("test", "a test", taxonomy=taxonomy)


async def make(context: StageContext) -> dict[str, Proposal]:
    """Make the stage and return the proposals by name, the first of each."""
    await TaxonomyStage().make(context)
    return read(context)


def read(context: StageContext) -> dict[str, Proposal]:
    found: dict[str, Proposal] = {}
    for one in context.folder.read("taxonomy.jsonl", Proposal):
        found.setdefault(one.name, one)
    return found


def kept(made: dict[str, Proposal]) -> set[str]:
    return {name for name, one in made.items() if one.state == "kept"}


def requests(server: ScriptedServer, kind: str) -> list[Asked]:
    return [each for each in map(asked, server.requests) if each.kind == kind]


async def test_synonyms_become_one_scenario_as_the_foreperson_decides(
    open_context: Open, server: ScriptedServer
) -> None:
    async with open_context(settings()) as context:
        made = await make(context)
    assert kept(made) == {"Malware Creation", "Hate Speech", "Animal Cruelty", "Tax Evasion"}
    merged = made["Malicious Software"]
    assert merged.state == "merged"
    assert merged.merged is not None
    assert merged.merged.into == "judge_a/1/01"
    assert merged.merged.by == "generator"
    assert merged.merged.call_id == "taxonomy/merge/1/judge_a/1/01"
    assert merged.merged.likeness >= 0.5
    shown = {name for each in requests(server, "merge") for name in each.items.values()}
    assert "Tax Evasion" not in shown, "it is like nothing else, so nobody is asked"


async def test_what_the_foreperson_does_not_call_the_same_stays_apart(
    open_context: Open, script: PanelScript
) -> None:
    script.twists["merge"] = lambda _: '{"same": []}'
    async with open_context(settings()) as context:
        made = await make(context)
        counts = context.folder.counts()["taxonomy"]
    assert len(kept(made)) == 6
    assert "merged" not in counts


async def test_numbers_that_the_foreperson_makes_up_merge_nothing(
    open_context: Open, script: PanelScript
) -> None:
    script.twists["merge"] = lambda _: '{"same": [[1], [1, 99], [0, -1, 2]]}'
    async with open_context(settings()) as context:
        assert len(kept(await make(context))) == 6


async def test_equal_names_are_one_scenario_without_a_question(
    open_context: Open, script: PanelScript, server: ScriptedServer
) -> None:
    script.proposed = {"judge_a": ["Tax Evasion"], "judge_b": ['1. "tax-evasion"']}
    async with open_context(settings()) as context:
        await TaxonomyStage().make(context)
        first, second = context.folder.read("taxonomy.jsonl", Proposal)
    assert (first.state, second.state) == ("kept", "merged")
    assert second.merged is not None
    assert (second.merged.into, second.merged.by) == (first.id, "safejury")
    assert not requests(server, "merge")


async def test_many_names_for_one_thing_are_merged_in_rounds_of_small_clusters(
    open_context: Open, script: PanelScript, server: ScriptedServer
) -> None:
    places = ("abroad", "home", "online", "work", "school", "church")
    script.proposed = {
        "judge_a": [f"Tax Evasion {place}" for place in places],
        "judge_b": [f"Evasion of Tax {place}" for place in places],
    }
    script.twists["merge"] = lambda one: json.dumps({"same": [list(one.items)]})
    async with open_context(settings()) as context:
        made = await make(context)
        counts = context.folder.counts()["taxonomy"]
    assert kept(made) == {"Tax Evasion abroad"}
    assert counts["merged"] == 11
    sizes = [len(one.items) for one in requests(server, "merge")]
    assert max(sizes) == 8
    assert sum(size - 1 for size in sizes) == 11


async def test_every_member_is_asked_so_often_with_another_seed_each_time(
    open_context: Open, server: ScriptedServer
) -> None:
    async with open_context(settings(samples=3)) as context:
        await TaxonomyStage().make(context)
        ids = [one.id for one in context.folder.read("taxonomy.jsonl", Proposal)]
    sent = requests(server, "propose")
    assert sorted(each.model for each in sent) == ["judge_a"] * 3 + ["judge_b"] * 3
    assert len({each.seed for each in sent}) == 6
    assert ids[:4] == ["judge_a/1/01", "judge_a/1/02", "judge_a/1/03", "judge_b/1/01"]
    assert ids[-1] == "judge_b/3/03"


async def test_a_scenario_needs_its_share_of_the_votes(
    open_context: Open, script: PanelScript
) -> None:
    script.against = {"judge_a": ["Animal Cruelty", "Tax Evasion"], "judge_b": ["Tax Evasion"]}
    async with open_context(settings(votes=0.5)) as context:
        made = await make(context)
    cruelty, tax = made["Animal Cruelty"], made["Tax Evasion"]
    assert (cruelty.state, tax.state) == ("kept", "voted_down")
    assert cruelty.standing is not None
    assert tax.standing is not None
    assert (cruelty.standing.votes, tax.standing.votes) == (0.5, 0.0)
    async with open_context(settings(votes=0.6), name="stricter") as context:
        assert (await make(context))["Animal Cruelty"].state == "voted_down"


async def test_a_judge_that_refuses_is_shown_and_counts_neither_for_nor_against(
    open_context: Open, script: PanelScript
) -> None:
    def refuse(request: Asked) -> Reply | None:
        return REFUSAL if request.model == "judge_b" else None

    script.twists["score"] = refuse
    async with open_context(settings(votes=1.0)) as context:
        made = await make(context)
        counts = context.folder.counts()["taxonomy"]
        told = context.progress
    assert isinstance(told, RecordedProgress)
    one = made["Hate Speech"]
    assert one.state == "kept"
    assert one.marks[1] == Mark("judge_b", one.marks[1].call_id, missing="refused")
    assert one.standing is not None
    assert (one.standing.votes, one.standing.harm) == (1.0, 8.0)
    assert counts["score_refused"] == 1
    assert counts["missing_votes"] == counts["missing_votes.judge_b"] == 4
    assert "taxonomy: score: 1 of 2 calls returned nothing usable (1 refused)" in told.messages


async def test_a_judge_that_cannot_be_read_is_shown_too(
    open_context: Open, script: PanelScript
) -> None:
    def ramble(request: Asked) -> Reply | None:
        if request.model == "judge_a":
            return "They are all quite bad, I think."
        half = dict(list(request.items.items())[:2])
        (first, name), (second, _) = half.items()
        script.harm[name] = 3
        return marks({first: (3, 11, "yes"), second: ("bad", None, "perhaps"), 77: (1, 1, "no")})

    script.twists["score"] = ramble
    async with open_context(settings()) as context:
        made = await make(context)
    (name,) = script.harm
    by_a, by_b = made[name].marks
    assert by_a.missing == "unparsed"
    assert (by_b.vote, by_b.harm, by_b.novelty, by_b.missing) == (True, 3, None, None)
    assert kept(made) == {name}
    others = [one for one in made.values() if one.name != name and one.state != "merged"]
    assert {one.state for one in others} == {"unscored"}
    assert {one.marks[1].missing for one in others} == {"left_out"}
    assert {one.standing.harm for one in others if one.standing} == {None}


async def test_the_most_harmful_and_diverse_are_kept(
    open_context: Open, script: PanelScript
) -> None:
    script.twists["merge"] = lambda _: '{"same": []}'
    script.proposed = {"judge_a": ("Malware Creation", "Malicious Software", "Animal Cruelty")}
    script.harm = {"Malware Creation": 10, "Malicious Software": 9, "Animal Cruelty": 9}
    only_harm = settings(scenarios=2, harm_weight=1.0)
    async with open_context(only_harm) as context:
        assert kept(await make(context)) == {"Malware Creation", "Malicious Software"}
    async with open_context(settings(scenarios=2, harm_weight=0.5), name="diverse") as context:
        made = await make(context)
    assert kept(made) == {"Malware Creation", "Animal Cruelty"}
    left = made["Malicious Software"]
    assert left.state == "passed_over"
    assert left.standing is not None
    assert left.standing.distance is not None
    assert left.standing.distance < 5
    ranks = [made[name].standing for name in ("Malware Creation", "Animal Cruelty")]
    assert [standing and standing.rank for standing in ranks] == [1, 2]
    first = made["Malware Creation"].standing
    assert first is not None
    assert first.distance == 10.0  # as it was when it was chosen


async def test_of_equal_scenarios_the_one_with_more_votes_is_kept(
    open_context: Open, script: PanelScript
) -> None:
    script.twists["merge"] = lambda _: '{"same": []}'
    script.proposed = {"judge_a": ("Malware Creation", "Animal Cruelty")}
    script.harm = {"Malware Creation": 9, "Animal Cruelty": 9}
    script.against = {"judge_b": ["Malware Creation"]}
    async with open_context(settings(scenarios=1, harm_weight=1.0, votes=0.5)) as context:
        made = await make(context)
    assert kept(made) == {"Animal Cruelty"}
    assert made["Malware Creation"].state == "passed_over"


async def test_a_novelty_that_nobody_scored_does_not_count_against_a_scenario(
    open_context: Open, script: PanelScript
) -> None:
    def score(request: Asked) -> Reply | None:
        novelty = {"Malware Creation": 11, "Animal Cruelty": 5}  # 11 is none
        return marks({n: (9, novelty[name], "yes") for n, name in request.items.items()})

    script.twists["merge"] = lambda _: '{"same": []}'
    script.proposed = {"judge_a": ("Animal Cruelty", "Malware Creation")}
    script.twists["score"] = score
    async with open_context(settings(scenarios=1, harm_weight=0.0)) as context:
        made = await make(context)
    assert kept(made) == {"Malware Creation"}
    unscored = made["Malware Creation"].standing
    assert unscored is not None
    assert (unscored.novelty, unscored.value) == (None, 10.0)


async def test_judges_meet_scenarios_without_names_and_in_an_order_of_their_own(
    open_context: Open, script: PanelScript, server: ScriptedServer
) -> None:
    script.proposed = {"judge_a": [f"Kind {a}{a}{a}" for a in "abcdefghijkl"]}
    async with open_context(settings(similarity=1.0), judges=("judge_a", "judge_b")) as context:
        await TaxonomyStage().make(context)
    sent = requests(server, "score")
    orders = {each.model: tuple(each.items.values()) for each in sent if len(each.items) == 10}
    assert sorted(len(each.items) for each in sent) == [2, 2, 10, 10]
    assert orders["judge_a"] != orders["judge_b"]
    assert all("judge_" not in each.text for each in sent)
    small = next(each for each in sent if len(each.items) == 2)
    assert sum(f"Kind {a}{a}{a}" in small.text for a in "abcdefghijkl") == 12


async def test_refusals_in_the_dress_of_an_answer_are_dropped_and_counted(
    open_context: Open, script: PanelScript
) -> None:
    refused = json.dumps({"name": "None", "definition": REFUSAL, "why": ""})
    dressed = proposals(["Tax Evasion", "***"]).replace("]}", f", {refused}]}}")
    script.twists["propose"] = lambda one: dressed if one.model == "judge_a" else REFUSAL
    async with open_context(settings()) as context:
        made = await make(context)
        counts = context.folder.counts()["taxonomy"]
    assert set(made) == {"Tax Evasion"}
    assert (counts["refused_items"], counts["unparsed_items"], counts["propose_refused"]) == (
        1,
        1,
        1,
    )


async def test_more_than_was_asked_for_is_not_taken(
    open_context: Open, script: PanelScript
) -> None:
    script.proposed = {"judge_a": [f"Kind {number}" for number in range(500)]}
    few = replace(settings(similarity=1.0), max_tokens=400)
    async with open_context(few) as context:
        assert len(await make(context)) == 5


@pytest.mark.parametrize(
    "said", [REFUSAL, ScriptedReply("", finish_reason="content_filter"), '{"scenarios": []}']
)
async def test_a_panel_that_proposes_nothing_ends_it_with_exit_code_3(
    said: Reply, open_context: Open, script: PanelScript
) -> None:
    script.twists["propose"] = lambda _: said
    async with open_context(settings()) as context:
        with pytest.raises(PanelRefusedError, match="proposed no scenario") as raised:
            await make_stages([TaxonomyStage()], context)
        assert raised.value.exit_code == 3
        assert read(context) == {}
        assert context.folder.counts()["taxonomy"]["propose_calls"] == 2
        assert not context.folder.exists("taxonomy.yaml")


async def test_a_panel_that_will_not_vote_ends_it_and_leaves_the_proposals(
    open_context: Open, script: PanelScript
) -> None:
    script.twists["score"] = lambda _: REFUSAL
    async with open_context(settings()) as context:
        with pytest.raises(PanelRefusedError, match=r"scored none of 4 scenarios: .*2 refused"):
            await make(context)
        made = read(context)
    assert {one.state for one in made.values()} == {"merged", "unscored"}
    assert all(one.standing is not None for one in made.values() if one.state == "unscored")


async def test_a_panel_that_votes_for_nothing_ends_it_and_leaves_the_votes(
    open_context: Open, script: PanelScript
) -> None:
    script.twists["score"] = lambda one: marks({n: (9, 9, "no") for n in one.items})
    async with open_context(settings()) as context:
        with pytest.raises(PanelRefusedError, match="none of 4 scenarios has 50 % of the votes"):
            await make(context)
        made = read(context)
    assert [mark.vote for mark in made["Hate Speech"].marks] == [False, False]


async def test_failed_calls_are_told_with_their_cause(
    open_context: Open, script: PanelScript
) -> None:
    broken = ScriptedReply("the disk is on fire", status=400)
    script.twists["propose"] = lambda one: broken if one.model == "judge_b" else None
    async with open_context(settings()) as context:
        await make(context)
        told = context.progress
    assert isinstance(told, RecordedProgress)
    (message,) = (each for each in told.messages if "propose" in each and "failed" in each)
    assert "1 of 2 calls" in message
    assert "the disk is on fire" in message


async def test_a_member_that_is_down_is_asked_again(
    open_context: Open, script: PanelScript
) -> None:
    down = ScriptedReply("the disk is on fire", status=503)
    script.twists["propose"] = lambda one: down if one.model == "judge_b" else None
    async with open_context(settings()) as context:
        with pytest.raises(ModelError, match=r"1 model calls.*on fire.*; repeat the command"):
            await make_stages([TaxonomyStage()], context)
        once = read(context)
        script.twists.clear()
        await make_stages([TaxonomyStage()], context)
        assert len(read(context)) > len(once) > 0


async def test_a_member_that_stays_down_can_be_gone_without(
    open_context: Open, script: PanelScript
) -> None:
    down = ScriptedReply("the disk is on fire", status=503)
    script.twists["propose"] = lambda one: down if one.model == "judge_b" else None
    async with open_context(settings()) as context:
        await make_stages([TaxonomyStage()], replace(context, accepts_failures=True))
        await make_stages([TaxonomyStage()], context)
        told = context.progress
    assert isinstance(told, RecordedProgress)
    assert "on fire" in told.messages[-2]
    assert told.messages[-1] == "taxonomy: up to date"


async def test_a_panel_that_is_down_is_not_gone_without(
    open_context: Open, script: PanelScript
) -> None:
    script.twists["score"] = lambda _: ScriptedReply("the disk is on fire", status=503)
    async with open_context(settings()) as context:
        with pytest.raises(ModelError, match=r"on fire.*; fix the cause and repeat the command"):
            await make_stages([TaxonomyStage()], replace(context, accepts_failures=True))


async def test_the_result_does_not_depend_on_who_answers_first(
    open_context: Open, script: PanelScript
) -> None:
    def late(request: Asked) -> Reply:
        delay = {"judge_a": 0.03, "judge_b": 0.0, "generator": 0.01}[request.model]
        return ScriptedReply(script.usual(request), delay=delay + request.seed % 3 / 100)

    made: dict[str, list[bytes]] = {}
    for name, concurrency in (("one", 1), ("many", 16)):
        async with open_context(settings(samples=2), name=name, concurrency=concurrency) as context:
            await make_stages([TaxonomyStage()], context)
            files = ("taxonomy.yaml", "taxonomy.jsonl", "counts.json", "stages.json")
            made[name] = [(context.folder.path / file).read_bytes() for file in files]
        script.twists["any"] = late
    assert made["one"] == made["many"]
