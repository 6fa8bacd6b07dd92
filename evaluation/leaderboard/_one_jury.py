"""Whether runs have one jury, so that their figures may stand on one leaderboard."""

from collections.abc import Iterator, Sequence

import msgspec

from ...common import ConfigurationError
from ...deliberation.protocol.card import CardJury, DecidedBy, juries_differ
from ..record import decided_by, jury_identity
from ..report import StoredRun


def check_one_jury(runs: Sequence[StoredRun]) -> None:
    """Check that all runs were judged by one jury and protocol.

    Raises:
        ConfigurationError: They were not; the message names what differs.
    """
    first = runs[0]
    for run in runs[1:]:
        if problems := [*_differences(first, run)]:
            raise ConfigurationError(
                f"{first.directory} and {run.directory} were judged by different juries: "
                f"{'; '.join(problems)}: their figures do not belong on one leaderboard: report "
                "them one by one"
            )


def _differences(first: StoredRun, other: StoredRun) -> Iterator[str]:
    one, two = first.meta, other.meta
    if said := juries_differ(_jury(first), _jury(other)):
        yield said
    by = decided_by(one.identity, len(one.jury)), decided_by(two.identity, len(two.jury))
    yield from _of_protocol(*by)
    if one.identity.get("card") != two.identity.get("card"):
        yield "their rules decide by different jury cards"


def _jury(run: StoredRun) -> CardJury:
    return jury_identity(run.meta.identity, run.meta.jury)


def _of_protocol(one: DecidedBy, two: DecidedBy) -> Iterator[str]:
    before, after = msgspec.structs.asdict(one), msgspec.structs.asdict(two)
    for key, value in before.items():
        if value != after[key]:
            if key == "others":
                yield "the code or the prompts of their protocols differ"
            else:
                yield f"{key} is {value} and {after[key]}"
