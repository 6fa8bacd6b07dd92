"""Whether runs have one jury, so that their figures may stand on one leaderboard."""

from collections import Counter
from collections.abc import Sequence

from ...common import ConfigurationError
from ..record import differences_of_juries
from ..report import StoredRun


def check_one_jury(runs: Sequence[StoredRun]) -> None:
    """Check that all runs were judged by one jury and protocol, and that none is given twice.

    Raises:
        ConfigurationError: They were not; the message names what differs.
    """
    first = runs[0]
    paths = Counter(run.directory.resolve() for run in runs)
    if twice := [path for path, times in paths.items() if times > 1]:
        raise ConfigurationError(f"{twice[0]}: the run is given twice: name it once")
    for run in runs[1:]:
        if problems := differences_of_juries(first.meta, run.meta):
            raise ConfigurationError(
                f"{first.directory} and {run.directory} were judged by different juries: "
                f"{'; '.join(problems)}: their figures do not belong on one leaderboard: report "
                "them one by one"
            )
