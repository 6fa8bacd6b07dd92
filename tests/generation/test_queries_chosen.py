"""Which queries are kept: how scores are weighed, and which of near ones stays."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from dialogue_script import Prompt, Reply, Script, queries, words

from safejury.generation import (
    Candidate,
    GenerationSettings,
    PictureSettings,
    PicturesStage,
    QueriesStage,
    QuerySettings,
    SpeechSettings,
    SpeechStage,
    Stage,
    StageContext,
    TaxonomySettings,
    TwinsStage,
)
from safejury.testing import ScriptedServer

Open = Callable[..., AbstractAsyncContextManager[StageContext]]
HARDWARE, MALWARE = "cybersecurity.hardware_security", "cybersecurity.malware_generation"
ONE_ROUND = QuerySettings(2, over_generate=1, batch=2, revisions=0, diversity=0.0)


def settings(
    wanted: QuerySettings = ONE_ROUND, scenarios: tuple[str, ...] = (HARDWARE,)
) -> GenerationSettings:
    return GenerationSettings("test", "a test", scenarios=scenarios, queries=wanted)


async def made(context: StageContext) -> dict[str, Candidate]:
    """Make the queries; return all candidates by the end of their ids."""
    await QueriesStage().make(context)
    read = context.folder.read("candidates.jsonl", Candidate)
    return {one.id.removeprefix(f"{HARDWARE}."): one for one in read}


async def test_of_two_revisions_that_nearly_repeat_each_other_the_better_stays(
    open_context: Open, script: Script
) -> None:
    script.criticism = "say it plainly"
    said = words("what both become")
    script.twists["revise"] = lambda prompt: queries(
        {1: f"List {said} grade 3.", 2: f"How {said} grade 8?"}
    )
    script.twists["propose"] = lambda prompt: queries(
        {n: f"Why {words(str(n))} grade 1?" for n in (1, 2)}
    )
    wanted = QuerySettings(2, over_generate=1, batch=2, revisions=1, diversity=0.0)
    async with open_context(settings(wanted)) as context:
        candidates = await made(context)
    worse, better = candidates["0001.r1"], candidates["0002.r1"]
    assert (better.state, better.value) == ("kept", 8.0)
    assert (worse.state, worse.duplicate_of) == ("duplicate", better.id)


@pytest.mark.parametrize(("diversity", "kept"), [(0.0, {"0001", "0002"}), (0.5, {"0001", "0003"})])
async def test_the_choice_goes_by_difference_as_far_as_is_wanted(
    diversity: float, kept: set[str], open_context: Open, script: Script
) -> None:
    """The second has much of the first, and the third nothing, with a lower score."""
    shared = words("what two share", 4)
    texts = {
        1: f"How {shared} {words('first', 3)} grade 9?",
        2: f"How {shared} {words('second', 3)} grade 8?",
        3: f"How {words('third')} grade 7?",
    }
    script.twists["propose"] = lambda prompt: queries(texts)
    wanted = QuerySettings(2, over_generate=1.5, batch=3, revisions=0, diversity=diversity)
    async with open_context(settings(wanted)) as context:
        candidates = await made(context)
    assert {name for name, one in candidates.items() if one.state == "kept"} == kept
    assert {one.state for one in candidates.values()} == {"kept", "passed_over"}


async def test_each_score_has_the_weight_that_is_given_to_it(
    open_context: Open, script: Script
) -> None:
    def score(prompt: Prompt) -> Reply:
        points = {"feasibility": 10, "harmfulness": 4, "applicability": 1}
        listed = [{"number": n, "criticism": "", **points} for n in prompt.items]
        return json.dumps({"scores": listed})

    script.twists["score"] = score
    weighted = QuerySettings(
        2, 1, 2, 0, feasibility=1, harmfulness=2, applicability=4, diversity=0.0
    )
    async with open_context(settings(weighted)) as context:
        candidates = await made(context)
    # (1·10 + 2·4 + 4·1) / 7
    assert [one.value for one in candidates.values()] == [pytest.approx(22 / 7)] * 2


async def test_a_scenario_that_is_named_twice_is_made_and_paid_for_once(
    open_context: Open, server: ScriptedServer
) -> None:
    async with open_context(settings(), name="once") as context:
        await QueriesStage().make(context)
        once = (context.folder.path / "candidates.jsonl").read_bytes()
    calls = len(server.requests)
    twice = settings(scenarios=(HARDWARE, "CS.HS", "Hardware Security"))
    async with open_context(twice, name="twice") as context:
        await QueriesStage().make(context)
        assert context.scenario_ids() == (HARDWARE,)
        assert (context.folder.path / "candidates.jsonl").read_bytes() == once
        assert context.folder.counts()["queries"]["scenarios"] == 1
    assert len(server.requests) == 2 * calls


@pytest.mark.parametrize("taxonomy", [None, TaxonomySettings()])
async def test_a_scenario_that_is_named_twice_is_estimated_once(
    taxonomy: TaxonomySettings | None, open_context: Open
) -> None:
    """Before the panel's scenarios are there, equal names are one; else equal scenarios are."""
    again = "CS.HS" if taxonomy is None else HARDWARE
    nobody = "http://127.0.0.1:9/v1"
    pictures = PictureSettings("endpoint", base_url=nobody, model="m")
    speech = SpeechSettings("endpoint", base_url=nobody, model="m")
    stages: list[Stage] = [QueriesStage(), TwinsStage(), PicturesStage(), SpeechStage()]
    estimated: list[list[object]] = []
    for scenarios in ((HARDWARE, MALWARE), (HARDWARE, again, MALWARE)):
        wanted = GenerationSettings(
            "test",
            "a test",
            scenarios=scenarios,
            taxonomy=taxonomy,
            queries=ONE_ROUND,
            pictures=pictures,
            speech=speech,
        )
        async with open_context(wanted) as context:
            estimated.append([calls for stage in stages for calls in stage.estimate(context)])
    assert estimated[0] == estimated[1]
    assert len(estimated[0]) == 3 + 3 + 2 + 1
