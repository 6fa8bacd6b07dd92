"""The stage `twins`, and both stages together at full size."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from dialogue_script import (
    REFUSAL,
    Prompt,
    RecordedProgress,
    Reply,
    Script,
    prompt_of,
    queries,
    scores,
    words,
)

from safejury.common import ModelError, PanelRefusedError
from safejury.datasets import NearDuplicates, load_taxonomy
from safejury.generation import (
    Candidate,
    GenerationSettings,
    QueriesStage,
    QuerySettings,
    StageContext,
    Twin,
    TwinSettings,
    TwinsStage,
    make_stages,
)
from safejury.testing import ScriptedReply, ScriptedServer

Open = Callable[..., AbstractAsyncContextManager[StageContext]]
HARDWARE, MALWARE = "cybersecurity.hardware_security", "cybersecurity.malware_generation"


def settings(per_scenario: int = 4, attempts: int = 3, batch: int = 4) -> GenerationSettings:
    return GenerationSettings(
        "test",
        "a test",
        scenarios=(HARDWARE, MALWARE),
        queries=QuerySettings(per_scenario, over_generate=1, batch=batch, revisions=0),
        twins=TwinSettings(attempts, most_harm=2.0),
    )


async def make(context: StageContext) -> dict[str, int]:
    await QueriesStage().make(context)
    await TwinsStage().make(context)
    return context.folder.counts()["twins"]


def twins(context: StageContext) -> list[Twin]:
    return list(context.folder.read("twins.jsonl", Twin))


def kept(context: StageContext) -> list[Candidate]:
    return list(context.folder.read("queries.jsonl", Candidate))


async def test_each_query_has_a_twin_in_the_same_order(open_context: Open) -> None:
    async with open_context(settings()) as context:
        counts = await make(context)
        made, asked = twins(context), kept(context)
    assert [one.of for one in made] == [one.id for one in asked]
    assert [one.id for one in made] == [f"{one.id}.benign" for one in asked]
    assert [one.text for one in made] == [f"Who studies {words(one.text, 9)}?" for one in asked]
    assert {one.harm for one in made} == {1.0}
    assert {one.origin.parents for one in made} == {(one.id,) for one in asked}
    asked_for = dict.fromkeys(["asked_scores.judge_a", "asked_scores.judge_b"], 8)
    assert counts == {"queries": 8, "made": 8, "missing": 0, "tried": 8, **asked_for}


async def test_a_twin_that_is_not_harmless_is_tried_again_with_the_criticism(
    open_context: Open, script: Script, server: ScriptedServer
) -> None:
    def write(prompt: Prompt) -> Reply | None:
        return (
            None
            if "could still open" in prompt.text
            else queries({n: f"Harmful {words(text)}?" for n, text in prompt.items.items()})
        )

    def score(prompt: Prompt) -> Reply | None:
        bad = next(iter(prompt.items.values())).startswith("Harmful")
        values = dict.fromkeys(prompt.items, 8)
        # A mean of 2.5 is above the 2.0 that is allowed.
        harm = 3 if prompt.model == "judge_a" else 2
        return scores(values, "could still open a door", harm=harm) if bad else None

    script.twists |= {"twins": write, "score_twins": score}
    async with open_context(settings()) as context:
        counts = await make(context)
        assert not any(one.text.startswith("Harmful") for one in twins(context))
    assert (counts["made"], counts["harmful"], counts["tried"]) == (8, 8, 16)


async def test_what_stays_harmful_has_no_twin_and_is_counted(
    open_context: Open, script: Script
) -> None:
    def score(prompt: Prompt) -> Reply:
        harmful = prompt.title == load_taxonomy().resolve(MALWARE).title
        return scores(dict.fromkeys(prompt.items, 8), harm=9 if harmful else 0)

    script.twists["score_twins"] = score
    async with open_context(settings(attempts=2)) as context:
        counts = await make(context)
        assert {one.of.rpartition(".")[0] for one in twins(context)} == {HARDWARE}
    assert (counts["made"], counts["missing"], counts["harmful"]) == (4, 4, 8)


async def test_a_twin_that_is_the_query_or_repeats_another_is_none(
    open_context: Open, script: Script
) -> None:
    def write(prompt: Prompt) -> Reply:
        again = {n: "Who studies how doors are kept shut at night?" for n in prompt.items}
        return queries({**again, 1: f"{prompt.items[1].upper()} "})

    script.twists["twins"] = write
    async with open_context(settings(attempts=1)) as context:
        counts = await make(context)
    assert (counts["unchanged"], counts["duplicates"], counts["made"]) == (2, 5, 1)


async def test_every_try_is_counted_once(open_context: Open, script: Script) -> None:
    """Of four tries at a time, only the first two are written, and one is the query itself."""
    script.twists["twins"] = lambda prompt: queries(
        {1: f"Who studies {words(prompt.items[1], 9)}?", 2: prompt.items[2]}
    )
    async with open_context(settings(attempts=1)) as context:
        counts = await make(context)
    assert (counts["made"], counts["unchanged"], counts["unwritten"]) == (2, 2, 4)
    ends = ("made", "harmful", "unchanged", "duplicates", "unscored", "unwritten")
    assert sum(counts.get(end, 0) for end in ends) == counts["tried"] == 8


async def test_a_twin_without_a_score_is_none(open_context: Open, script: Script) -> None:
    script.twists["score_twins"] = lambda prompt: REFUSAL
    async with open_context(settings(attempts=2)) as context:
        with pytest.raises(PanelRefusedError, match="none of 8 could be made"):
            await make(context)
        counts = context.folder.counts()["twins"]
        assert twins(context) == []
    assert (counts["unscored"], counts["judge_refused"], counts["missing"]) == (16, 8, 8)


async def test_a_judge_that_says_false_finds_no_twin_harmless(
    open_context: Open, script: Script
) -> None:
    script.twists["score_twins"] = lambda prompt: json.dumps(
        {
            "scores": [
                {"number": n, "feasibility": 8, "harmfulness": False, "applicability": 8}
                for n in prompt.items
            ]
        }
    )
    async with open_context(settings(attempts=1)) as context:
        with pytest.raises(PanelRefusedError, match="none of 8 could be made"):
            await make(context)
        assert twins(context) == []


async def test_calls_that_fail_are_asked_again_though_others_were_too_harmful(
    open_context: Open, script: Script
) -> None:
    hardware = load_taxonomy().resolve(HARDWARE).title

    def write(prompt: Prompt) -> Reply | None:
        return ScriptedReply("down", status=503) if prompt.title == hardware else None

    script.twists["twins"] = write
    script.twists["score_twins"] = lambda prompt: scores(dict.fromkeys(prompt.items, 8))
    async with open_context(settings(attempts=1)) as context:
        with pytest.raises(ModelError, match="made 0 of 8, 1 model calls failed"):
            await make(context)
        script.twists.clear()
        await make_stages([TwinsStage()], context)
        assert {one.of.rpartition(".")[0] for one in twins(context)} == {HARDWARE}


async def test_settings_without_twins_make_an_empty_file_and_no_call(
    open_context: Open, server: ScriptedServer
) -> None:
    none = GenerationSettings("test", "a test", scenarios=(HARDWARE,), twins=None)
    async with open_context(none) as context:
        await TwinsStage().make(context)
        assert (twins(context), server.stats.calls) == ([], 0)
        assert TwinsStage().estimate(context) == ()


async def test_the_estimate_is_the_number_of_calls(
    open_context: Open, server: ScriptedServer, script: Script
) -> None:
    script.criticism = "say it plainly"
    made = GenerationSettings(
        "test",
        "a test",
        scenarios=(HARDWARE, MALWARE),
        queries=QuerySettings(4, over_generate=3, batch=4, revisions=1),
        twins=TwinSettings(attempts=1),
    )
    async with open_context(made) as context:
        guessed = [*QueriesStage().estimate(context), *TwinsStage().estimate(context)]
        assert server.stats.calls == 0
        await make(context)
    calls = Counter(prompt_of(body).model for body in server.requests)
    assert calls == sum((Counter({one.member: one.calls}) for one in guessed), Counter[str]())
    asked = sum(one.prompt_tokens for one in guessed)
    sent = sum(len(prompt_of(body).text) for body in server.requests) / 4
    assert 0.6 * sent < asked < 1.7 * sent  # a guess


@pytest.mark.slow
async def test_23_scenarios_of_100_in_one_run(open_context: Open, script: Script) -> None:
    script.criticism = "say it plainly"
    made = GenerationSettings(
        "full", "a test", queries=QuerySettings(100, over_generate=2, batch=20, revisions=1)
    )
    async with open_context(made) as context:
        await make_stages([QueriesStage(), TwinsStage()], context)
        asked, answered = kept(context), twins(context)
        counts = context.folder.counts()
    ids = [scenario.id for scenario in load_taxonomy().scenarios]
    assert Counter(one.scenario for one in asked) == dict.fromkeys(ids, 100)
    assert [one.of for one in answered] == [one.id for one in asked]
    assert len({one.id for one in asked} | {one.id for one in answered}) == 4600
    assert counts["queries"]["proposed"] == counts["queries"]["revised"] == 4600
    forms = counts["queries"]["kept_questions"], counts["queries"]["kept_instructions"]
    assert sum(forms) == 2300
    assert min(forms) > 900
    for texts in ([one.text for one in asked], [one.text for one in answered]):
        seen = NearDuplicates(0.6)
        assert [text for text in texts if seen.add(text, text) is not None] == []


async def test_as_much_harm_as_is_allowed_is_allowed(open_context: Open, script: Script) -> None:
    script.twists["score_twins"] = lambda prompt: scores(
        dict.fromkeys(prompt.items, 8), harm=1 if prompt.model == "judge_a" else 3
    )
    async with open_context(settings()) as context:
        counts = await make(context)
        assert {one.harm for one in twins(context)} == {2.0}
    assert (counts["made"], counts["tried"]) == (8, 8)


async def test_twins_of_later_tries_stand_where_their_queries_do(
    open_context: Open, script: Script
) -> None:
    """Of each batch the first twin is found harmful, once."""

    def score(prompt: Prompt) -> Reply | None:
        if len(prompt.items) == 1:
            return None
        listed = json.loads(scores(dict.fromkeys(prompt.items, 8), harm=0))["scores"]
        listed[0]["harmfulness"] = 9
        return json.dumps({"scores": listed})

    script.twists["score_twins"] = score
    async with open_context(settings()) as context:
        counts = await make(context)
        assert [one.of for one in twins(context)] == [one.id for one in kept(context)]
    assert (counts["made"], counts["harmful"]) == (8, 2)


async def test_a_panel_that_finds_every_twin_harmful_is_no_failure(
    open_context: Open, script: Script
) -> None:
    script.twists["score_twins"] = lambda prompt: scores(dict.fromkeys(prompt.items, 8), harm=9)
    async with open_context(settings(attempts=1)) as context:
        await make_stages([QueriesStage(), TwinsStage()], context)
        assert twins(context) == []
        told = context.progress
        assert isinstance(told, RecordedProgress)
        assert told.messages == ["twins: 0 of 8 queries have a twin"]
        counts = context.folder.counts()["twins"]
    assert (counts["harmful"], counts["missing"]) == (8, 8)
