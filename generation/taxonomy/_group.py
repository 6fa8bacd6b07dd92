"""Step 5 of a taxonomy: groups the scenarios into categories."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ...agents import ReplyFailure
from ..prompts import render
from ._items import Proposal
from ._merge import numbered
from ._model_calls import TaxonomyCalls
from ._shapes import Group, GroupList, heading

OTHER = "Other"
"""Title of the category of what the foreperson put nowhere."""
ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Grouped:
    """A category and its scenarios.

    Attributes:
        title: One line.
        alias: The letters that the foreperson chose; may be empty or taken.
        scenarios: Its scenarios, in the order of their choice; at least one.
    """

    title: str
    alias: str
    scenarios: tuple[Proposal, ...]


async def group(calls: TaxonomyCalls, scenarios: Sequence[Proposal], most: int) -> list[Grouped]:
    """Return the categories, each scenario in exactly one of them.

    Where the foreperson leaves a scenario out, names one twice or one that is not there,
    or makes too many categories, it is asked once more and problems_found so. What is amiss then is
    put right here: the first mention counts, the largest categories stay, and what belongs
    nowhere makes a category of its own, `Other`, beside the `most`.

    Args:
        calls: Whose foreperson is asked, and where it is counted.
        scenarios: In order, at least one.
        most: How many categories there may be, at least 1.
    """
    said: Sequence[Group] = ()
    complaint = ""
    for attempt in range(ATTEMPTS):
        answer = await calls.ask(
            calls.context.models.foreperson,
            group_prompt(numbered(scenarios), most, complaint),
            GroupList,
            f"taxonomy/group/{attempt}",
            parents=[one.id for one in scenarios],
        )
        if isinstance(answer, ReplyFailure):
            continue
        said = answer.value.categories
        if not (complaint := _complaint(said, len(scenarios), most)):
            break
    return _settle(calls, said, scenarios, most)


def group_prompt(items: str, most: int, complaint: str = "") -> str:
    """Return the prompt for the foreperson."""
    problems_found = f"Your last answer was not complete: {complaint}.\n" if complaint else ""
    return render("taxonomy_group", items=items, most=most, complaint=problems_found)


def _complaint(said: Sequence[Group], size: int, most: int) -> str:
    """Return what is wrong with a grouping, in words; empty if nothing is."""
    named = Counter(number for each in said for number in set(each.numbers))
    numbers = range(1, size + 1)
    problems = [
        ("these numbers are in no category", [n for n in numbers if not named[n]]),
        ("these are in several", [n for n in numbers if named[n] > 1]),
        ("these do not exist", sorted(named.keys() - set(numbers))),
    ]
    problems_found = [
        f"{what}: {', '.join(map(str, found[:50]))}" for what, found in problems if found
    ]
    filled = sum(1 for each in said if each.numbers)
    if filled > most:
        problems_found.append(f"there are {filled} categories instead of at most {most}")
    if any(not heading(each.title) for each in said):
        problems_found.append("a category has no title")
    return "; ".join(problems_found)


def _settle(
    calls: TaxonomyCalls, said: Sequence[Group], scenarios: Sequence[Proposal], most: int
) -> list[Grouped]:
    free = dict(enumerate(scenarios, 1))
    groups: list[Grouped] = []
    for each in said:
        own = [number for number in dict.fromkeys(each.numbers) if number in free]
        if own and (title := heading(each.title)):
            taken = tuple(free.pop(number) for number in sorted(own))
            groups.append(_joined(groups, Grouped(title, each.alias, taken)))
    kept = sorted(groups, key=lambda each: -len(each.scenarios))[:most]
    settled = [each for each in groups if each in kept]
    placed = {one.id for each in settled for one in each.scenarios}
    left = tuple(one for one in scenarios if one.id not in placed)
    calls.counts["grouped_as_other"] = len(left)
    if left:
        settled.append(_joined(settled, Grouped(OTHER, "", left)))
    return settled


def _joined(groups: list[Grouped], new: Grouped) -> Grouped:
    """Return a category, merged with the one of the same title, which is removed from the list."""
    for each in groups:
        if each.title.casefold() == new.title.casefold():
            groups.remove(each)
            return Grouped(each.title, each.alias or new.alias, each.scenarios + new.scenarios)
    return new
