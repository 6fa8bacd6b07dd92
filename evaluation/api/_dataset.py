"""What `evaluate` is given as a dataset, as a config has it or as a set in memory."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ...common import ConfigurationError
from ...common.text import quoted
from ...datasets import Dataset, LoadedSet, Query, QueryList, load_rows
from ...datasets.loaders import BUNDLED
from ..plan import QuerySet

_NAME = "dataset"
"""What errors call a set that is in memory."""
IN_MEMORY = "(in memory)"


@dataclass(frozen=True, slots=True)
class Asked:
    """A dataset.

    Attributes:
        said: What a config says of it.
        provided: The set itself, None where the config's words lead to it.
    """

    said: str | Mapping[str, object]
    provided: QuerySet | None = None

    @classmethod
    def of(
        cls, given: object, mapping: Mapping[str, str] | None, categories: str | Path | None
    ) -> "Asked":
        """Return what `evaluate` was given.

        Args:
            given: A name, a path, the keys of a set in a config, a loaded set, queries, or the
                rows of a table.
            mapping: Which column of a table is what.
            categories: Which scenarios the set's own categories are.

        Raises:
            ConfigurationError: It is none of these.
            DatasetError: Something in it cannot be used.
        """
        more = {"map": mapping, "categories": categories}
        more = {key: value for key, value in more.items() if value}
        if isinstance(given, str | Path):
            return cls({"path": str(given), **more} if more else str(given))
        if isinstance(given, Mapping):
            return cls({**cast("Mapping[str, object]", given), **more})
        if isinstance(given, Dataset | LoadedSet | QueryList) and not more:
            return cls(given.name if given.name in BUNDLED else IN_MEMORY, given)
        rows = _rows_of_table(given)
        if rows is None and isinstance(given, Iterable):
            rows = list(cast("Iterable[object]", given))
            if not more and _are_queries(rows):
                return cls(IN_MEMORY, QueryList(cast("list[Query]", rows), name=_NAME))
        if rows is None:
            shown = quoted(repr(cast(object, given)))
            raise ConfigurationError(
                f"evaluate: the dataset is {shown}: give a name such as 'mini', a path, a list of "
                "queries, or a table"
            )
        table = load_rows(rows, name=_NAME, mapping=mapping, categories=categories)
        return cls(IN_MEMORY, table)


def _rows_of_table(given: object) -> Sequence[object] | None:
    """Return the rows of a data frame or an Arrow table, None for anything else."""
    frame = cast(Any, given)
    if hasattr(frame, "to_json") and hasattr(frame, "columns"):  # pandas; NaN becomes null
        return cast("list[object]", json.loads(frame.to_json(orient="records", date_format="iso")))
    for method in ("to_dicts", "to_pylist"):  # polars, Arrow
        if hasattr(frame, method):
            return cast("list[object]", getattr(frame, method)())
    return None


def _are_queries(rows: Sequence[object]) -> bool:
    """Return whether rows are queries, or have all keys that a line of a query file needs."""
    needed = {"id", "scenario", "intent"}
    return not rows or any(
        isinstance(row, Query) or (isinstance(row, Mapping) and needed <= row.keys())
        for row in rows
    )
