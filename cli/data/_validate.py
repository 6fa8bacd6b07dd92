"""What `safejury datasets validate` lists."""

from ...common.text import many
from ...datasets import Dataset, LoadedSet
from ...datasets.jsonl import BadLineError, check_lines
from ..console import say, write_line
from ._asked import Asked, say_each, say_notes


def validate_set(asked: Asked) -> int:
    """List the items of a set that cannot be used, and return how many there are.

    Raises:
        ConfigurationError: There is no such set, or nothing of it can be used.
    """
    try:
        dataset = asked.open()
    except BadLineError as error:
        return _list_bad_lines(error, asked.limit)
    return _list_left_out(dataset)


def _list_left_out(dataset: Dataset | LoadedSet) -> int:
    """List the items that a set leaves out, and return how many there are."""
    bad = missing = 0
    if isinstance(dataset, LoadedSet):
        missing = dataset.missing
        bad = dataset.unusable + missing
        for item in dataset.left_out():
            write_line(str(item))
        say_each(dataset.notes_on_categories)
    else:
        say_notes(dataset)
    unusable = f"{bad - missing:,} cannot, and {missing:,} lack a picture or a recording"
    usable = many(len(dataset), "query", "queries")
    say(f"{usable} can be used; {unusable if bad else 'nothing is left out'}.")
    return bad


def _list_bad_lines(first: BadLineError, limit: int | None) -> int:
    """List the lines of a query file that cannot be used, and return how many there are."""
    good = bad = 0
    for found in check_lines(first.path, limit):
        if isinstance(found, BadLineError):
            bad += 1
            write_line(str(found))
        else:
            good += 1
    if not good:
        raise first
    say(
        f"{many(good, 'query', 'queries')} can be used; {bad:,} cannot. A query file of our own "
        "format is read whole or not at all: fix or remove these lines before a run."
    )
    return bad
