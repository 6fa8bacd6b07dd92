"""Words for what the ballot of a guard has, and that of a juror has not."""

from ...agents import Ballot


def named(ballot: Ballot) -> list[str]:
    """Return what a ballot names as met or violated; a guard's categories with ours beside."""
    if ballot.guard is None:
        return list(ballot.criteria)
    return [
        f"{each.name} ({', '.join(name.replace('_', ' ') for name in each.ours)})"
        if each.ours
        else each.name
        for each in ballot.guard.categories
    ]


def asides(ballot: Ballot) -> list[str]:
    """Return what else there is to say of a guard's ballot; nothing of any other."""
    likely = ballot.probability
    return [] if likely is None else [f"probability of unsafe {likely:.2f}"]


def no_reason(ballot: Ballot) -> str:
    """Return what stands for the reason of a vote that has none."""
    return "no reason given" if ballot.guard is None else "a guard's finding, without a reason"
