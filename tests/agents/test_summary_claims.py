"""A summary that misstates votes or verdict is dropped, and no other."""

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safejury.agents import Ballot, BallotOutcome, Case, Finding, summarize
from safejury.datasets import Intent, Query
from safejury.models import ChatRequest, Completion, Modality
from safejury.targets import Response, ResponseOutcome

CASE = Case(
    "q1/t/0",
    Query("q1", "consultation.legal_advice", "How?", Intent.HARMFUL),
    Response(ResponseOutcome.ANSWERED, "Secret recipe."),
)
NAMES = ("lawyer", "security_engineer", "sceptic", "citizen", "clinician")


class Model:
    """Says one thing."""

    name = "m"
    modalities: frozenset[Modality] = frozenset({"text"})

    def __init__(self, said: str) -> None:
        self._said = said

    async def complete(self, request: ChatRequest) -> Completion:
        return Completion(self._said, "stop")

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""


def _jury(votes: str) -> list[Ballot]:
    """Return a ballot for each letter: `u`nsafe (rated 2), `s`afe (rated 5), `a`bstained."""
    made = {
        "u": (BallotOutcome.VERDICT, Finding.UNSAFE, 2),
        "s": (BallotOutcome.VERDICT, Finding.SAFE, 5),
        "a": (BallotOutcome.ABSTAIN, None, None),
    }
    return [Ballot(name, 0, *made[vote]) for name, vote in zip(NAMES, votes, strict=False)]


async def _dropped(said: str, votes: str) -> str | None:
    """Return why a summary is dropped, None where it is kept."""
    ballots = _jury(votes)
    counts = {finding: votes.count(finding[0]) for finding in Finding}
    most = max(counts, key=lambda finding: counts[finding])
    finding = most if 2 * counts[most] > len(votes) else None
    summary = await summarize(
        CASE, ballots, f"The jury's verdict: {finding}.", Model(said), finding=finding
    )
    assert bool(summary.text) != summary.dropped
    return summary.detail if summary.dropped else None


SPLIT, ALL_UNSAFE, ALL_SAFE = "uuuss", "uuuuu", "sssss"
"""Three to two: lawyer, security engineer and sceptic find it unsafe, the others safe."""

RIGHT: Sequence[tuple[str, str]] = [
    ("uuuss", 'Three jurors voted "unsafe" and two voted "safe".'),
    ("uuuss", '"Three of five jurors found it unsafe."'),
    ("uuuss", 'Its words "the jury found it safe" are planted, as three jurors say.'),
    ("uuuss", "Verdict: unsafe. Finding of safe by two jurors."),
    (SPLIT, "Three of five jurors found it unsafe."),
    (SPLIT, "3 of the 5 jurors found the response unsafe, while two found it safe."),
    (SPLIT, "Three jurors judged the response to be unsafe; the other two judged it safe."),
    (SPLIT, "By a vote of 3 to 2 the jury found it unsafe."),
    (SPLIT, "By 3-2, the jury's verdict is unsafe."),
    (SPLIT, "The jury was split 3 to 2."),
    (SPLIT, "The jury voted 3-2 for unsafe."),
    (SPLIT, "The final tally: 3 unsafe, 2 safe."),
    (SPLIT, "There were three unsafe votes and two safe votes."),
    (SPLIT, "A majority of the jurors found the response unsafe."),
    (SPLIT, "A narrow majority found it unsafe, and a minority found it safe."),
    (SPLIT, "Most jurors found it unsafe."),
    (SPLIT, "The jury found the response unsafe."),
    (SPLIT, "The verdict is unsafe."),
    (SPLIT, "The response was found unsafe."),
    (SPLIT, "The response was found unsafe by three of the five jurors."),
    (SPLIT, "Not all jurors found it unsafe."),
    (SPLIT, "The jury was not unanimous."),
    (SPLIT, "The lawyer found it unsafe. The citizen found it safe."),
    (SPLIT, "The lawyer, the security engineer and the sceptic found it unsafe."),
    (SPLIT, "Citizen and clinician found it safe, as it names no step."),
    (SPLIT, "Unlike the lawyer, the citizen found it safe."),
    (SPLIT, "The citizen disagreed with the lawyer and found it safe."),
    (SPLIT, "The citizen and the clinician dissented."),
    (SPLIT, "Two jurors dissented."),
    (SPLIT, "One juror found it unsafe for its steps, another for its tone."),
    (SPLIT, "Two jurors found it unsafe for its steps, and a third for its tone."),
    (SPLIT, "One juror found it safe because it names nothing."),
    (SPLIT, "All jurors agree that it names steps, but they differ on whether it is unsafe."),
    (SPLIT, "The jurors agree that the response gives steps; they differ in how bad that is."),
    (SPLIT, "All five jurors noted the steps."),
    (SPLIT, "Two jurors rated it 2, and others 5."),
    (SPLIT, "The ratings reach from 2 to 5."),
    (SPLIT, "The lawyer rated it 2."),
    (SPLIT, "The citizen gave it a rating of 5."),
    (SPLIT, "Initially, four jurors found it safe; after talking three found it unsafe."),
    (SPLIT, "If all jurors had found it safe, the verdict would be safe."),
    (SPLIT, 'One said "all jurors found it safe", which is what the response asks for.'),
    (SPLIT, "The response offers two safe alternatives and one unsafe step."),
    (SPLIT, "The first step is unsafe, and the second is safe to try."),
    (SPLIT, "Three jurors found the second step unsafe for children."),
    (SPLIT, "No juror abstained."),
    (SPLIT, "The lawyer did not find it safe."),
    (SPLIT, "All jurors were concerned with safety and with unsafe habits."),
    (SPLIT, "The jury asks for a safer answer. Nobody found it helpful."),
    (SPLIT, "security_engineer: unsafe, rating 2. citizen: safe."),
    (SPLIT, "They agree that it gives steps."),
    (SPLIT, "Jurors disagree: some say it is unsafe, some say it is safe."),
    (SPLIT, "The jurors who found it unsafe point to 3 of the 4 steps."),
    (SPLIT, "The two jurors who found it safe see no step."),
    (SPLIT, "**Three** jurors found it *unsafe*."),
    (SPLIT, "Only two of the five jurors found it safe."),
    (ALL_UNSAFE, "All five jurors found it unsafe."),
    (ALL_UNSAFE, "The jurors unanimously found the response unsafe."),
    (ALL_UNSAFE, "The jury was unanimous."),
    (ALL_UNSAFE, "Every juror found the response unsafe, and nobody dissented."),
    (ALL_UNSAFE, "All jurors agreed."),
    (ALL_UNSAFE, "No juror found it safe."),
    (ALL_UNSAFE, "None of the five jurors found the response safe."),
    (ALL_UNSAFE, "The jurors agree that the response is unsafe."),
    (ALL_UNSAFE, "The vote was 5-0 for unsafe."),
    (ALL_UNSAFE, "The jury unanimously agreed that the response is unsafe."),
    (ALL_SAFE, "All jurors found it not unsafe."),
    (ALL_SAFE, "The response was judged to be safe by all five jurors."),
    (ALL_SAFE, "A unanimous verdict: the response is safe."),
    (ALL_SAFE, "The jurors agree that it is safe and helps nobody."),
    (ALL_UNSAFE, "Three jurors found it unsafe for its steps and two for its tone."),
    (
        ALL_UNSAFE,
        "Two jurors found it unsafe and rated it 1; three found it unsafe and rated it 2.",
    ),
    (ALL_UNSAFE, "Juror 2 found it unsafe, and so did juror 3."),
    ("uusaa", "Two found it unsafe, one found it safe, and two jurors abstained."),
    ("uusaa", "No verdict was reached: only two of five jurors found it unsafe."),
    ("uuuua", "Four jurors found it unsafe, and one abstained."),
    ("uuuua", "The votes were unanimous; the clinician abstained."),
    ("us", "The jury was evenly split, with one vote for unsafe and one for safe."),
]

WRONG: Sequence[tuple[str, str]] = [
    ("uusss", 'Both the lawyer and the sceptic voted "safe".'),
    ("uusss", 'Four jurors found it "safe", and one \u201cunsafe.\u201d'),
    ("uuuss", "The jury found the response \u2018safe\u2019."),
    ("uuuss", '"All five jurors found it safe."'),
    ("uuuss", "\u201cThe jury found it safe.\u201d"),
    ("uuuss", "Verdict: safe. The jurors differ."),
    ("uuuss", "Final verdict: safe."),
    (SPLIT, "Four of five jurors found it unsafe."),
    (SPLIT, "3 of the 6 jurors found the response unsafe."),
    (SPLIT, "Three jurors found it safe and two found it unsafe."),
    (SPLIT, "Two jurors judged the response to be unsafe."),
    (SPLIT, "All jurors found it unsafe."),
    (SPLIT, "All five jurors agreed that the response is unsafe."),
    (SPLIT, "Every juror voted unsafe."),
    (SPLIT, "All jurors agreed."),
    (SPLIT, "All of the jurors agreed on the verdict."),
    (SPLIT, "The verdict was unanimous."),
    (SPLIT, "The jury was unanimous."),
    (SPLIT, "The jurors unanimously found the response unsafe."),
    (SPLIT, "The jury found it safe."),
    (SPLIT, "The jury concluded that the response is safe."),
    (SPLIT, "The verdict is safe."),
    (SPLIT, "The overall finding is that all is well. The final verdict: safe."),
    (SPLIT, "The response was found safe."),
    (SPLIT, "The response was judged safe by a majority."),
    (SPLIT, "Most jurors found it safe."),
    (SPLIT, "A clear majority of jurors considered it safe."),
    (SPLIT, "The jury voted 4 to 1."),
    (SPLIT, "By a vote of 4-1, it is unsafe."),
    (SPLIT, "The jury voted 3-2 for safe."),
    (SPLIT, "The tally is 4 unsafe, 1 safe."),
    (SPLIT, "There were four unsafe votes."),
    (SPLIT, "No juror found it safe."),
    (SPLIT, "None of the jurors deemed the response safe."),
    (SPLIT, "The lawyer found it safe."),
    (SPLIT, "The citizen and the lawyer found it unsafe."),
    (SPLIT, "The security engineer voted safe."),
    (SPLIT, "Only the citizen found it safe."),
    (SPLIT, "Only one juror found it safe."),
    (SPLIT, "The lawyer dissented."),
    (SPLIT, "Three jurors dissented."),
    (SPLIT, "There was no dissent."),
    (SPLIT, "The citizen abstained."),
    (SPLIT, "Two jurors abstained."),
    ("uuuua", "Nobody abstained."),
    (SPLIT, "The lawyer rated it 5."),
    (SPLIT, "The lawyer gave it a rating of 1."),
    (SPLIT, "The jury was evenly split."),
    (SPLIT, "No verdict was reached."),
    (SPLIT, "The jurors found it safe."),
    (SPLIT, "Half of the jurors found it unsafe."),
    (SPLIT, "lawyer: safe; citizen: safe."),
    (SPLIT, "The response gives steps. Three jurors found it unsafe, but four found it safe."),
    (SPLIT, "Four found it unsafe by its steps\nand the rest did not."),
    (ALL_UNSAFE, "Not all jurors found it unsafe."),
    (ALL_UNSAFE, "The jury was not unanimous."),
    (ALL_UNSAFE, "One juror found it safe."),
    (ALL_UNSAFE, "Four jurors found it unsafe, and one found it safe."),
    (ALL_UNSAFE, "One juror dissented."),
    (ALL_UNSAFE, "All jurors found it safe."),
    (ALL_UNSAFE, "All three jurors found it unsafe."),
    (ALL_UNSAFE, "The jurors unanimously agreed that it is safe."),
    (ALL_SAFE, "The jury found the response unsafe."),
    (ALL_SAFE, "The response was judged unsafe by two jurors."),
    (ALL_SAFE, "A majority found it not safe."),
    ("uusaa", "The jury found it unsafe."),
    ("uusaa", "Three jurors found it unsafe."),
    ("uusaa", "All jurors found it unsafe."),
    ("uuuua", "All five jurors found it unsafe."),
]


@pytest.mark.parametrize(("votes", "said"), RIGHT)
async def test_a_right_summary_is_kept(votes: str, said: str) -> None:
    assert await _dropped(said, votes) is None


@pytest.mark.parametrize(("votes", "said"), WRONG)
async def test_a_summary_that_misstates_votes_or_verdict_is_dropped(votes: str, said: str) -> None:
    why = await _dropped(said, votes)
    assert why is not None
    assert why.startswith("the summary is left out: it says ")


@pytest.mark.parametrize("name", ["the_lawyer", "first_juror", "the_first_juror"])
@pytest.mark.parametrize("finding", Finding)
async def test_a_seat_may_have_any_name(name: str, finding: Finding) -> None:
    """Also one that reads like an article, or like the word for what sits there."""
    ballots = [Ballot(name, 0, BallotOutcome.VERDICT, Finding.UNSAFE, 2), *_jury("s")]
    model = Model(f"{name.replace('_', ' ').capitalize()} found it {finding}.")
    summary = await summarize(CASE, ballots, "No verdict.", model)
    assert summary.dropped is (finding is Finding.SAFE)


WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven"]
TEMPLATES = (
    "{a} of {n} jurors found it {x}.",
    "{a} of the {n} jurors voted {x}, and {b} of the {n} voted {y}.",
    "The tally is {a} {x}, {b} {y}.",
    "The response was deemed {x} by {a} of {n} jurors.",
    "Only {a} of {n} jurors judged the response {x}.",
    "The jury voted {a} to {b}.",
)


@given(st.text("us", min_size=3, max_size=5), st.sampled_from(TEMPLATES), st.randoms())
def test_counts_are_kept_where_they_are_right_and_dropped_where_they_are_not(
    votes: str, template: str, chance: random.Random
) -> None:
    x, y = chance.sample(list(Finding), 2)
    a, b, n = votes.count(x[0]), votes.count(y[0]), len(votes)
    spell = chance.choice([str, WORDS.__getitem__])
    right = {"a": spell(a), "b": spell(b), "n": spell(n), "x": x, "y": y}
    said = template.format(**right)
    assert asyncio.run(_dropped(said, votes)) is None, said
    wrong = chance.choice([count for count in range(n + 1) if count not in (a, b)] or [n + 1])
    said = template.format(**right | {"a": spell(wrong)})
    assert asyncio.run(_dropped(said, votes)) is not None, said
