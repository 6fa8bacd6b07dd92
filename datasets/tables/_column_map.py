"""Maps the columns of a table to fields: `--map text=prompt`."""

from collections.abc import Collection, Iterable, Mapping

from ...common import DatasetError
from ...common.text import did_you_mean, quoted
from ..query import check_label_name, tidy_labels
from ._decode import decode
from ._places import MISSING, steps, value_at
from ._values import Object, RowError, as_label, as_list, as_object, describe

LABEL = "labels."
"""Begins the fields that are a row's labels: `labels.type` is the label `type`."""
_MOST_WORDS = 5
"""Words of the longest name of a column; what has more is a text, which no message shows."""


class ColumnMap:
    """Finds the mapped fields in rows.

    What the mapping does not name is taken from a column of a usual name, if any. A path
    is a column's name, or steps with dots between them; a number is a place in a list,
    such as `choices.0.text`. Beside the fields a mapping may name labels, as `labels.NAME`.

    Args:
        fields: What can be mapped, and the names that columns usually have.
        mapping: Paths by field.

    Raises:
        DatasetError: The mapping names an unknown field, or a path has no step.
    """

    def __init__(self, fields: Mapping[str, tuple[str, ...]], mapping: Mapping[str, str]) -> None:
        self._fields = fields
        self._mapping = mapping
        self._labels = {key.removeprefix(LABEL): key for key in mapping if key.startswith(LABEL)}
        self._unseen = dict(self._labels)
        for key, path in mapping.items():
            if key.startswith(LABEL):
                _check_name(key)
            elif key not in fields:
                known = [*fields, f"{LABEL}NAME"]
                raise DatasetError(
                    f"--map {quoted(key)}: there is no such field"
                    f"{did_you_mean(key, known) or '; known are ' + ', '.join(known)}"
                )
            if not steps(path):
                raise DatasetError(
                    f"--map {key}={quoted(path)}: names no column: write its name, or steps such "
                    "as output.text"
                )

    def check(
        self, known: Iterable[str], where: object, needed: tuple[str, str], title: str
    ) -> None:
        """Raise an error if the table lacks a mapped column.

        Args:
            known: The table's columns.
            where: The file.
            needed: The field that must be there, and one that does as well.
            title: What the first of them holds, in words.

        Raises:
            DatasetError: A mapped column or the needed one is missing.
        """
        names = list(known)
        for field, path in self._mapping.items():
            if path not in names and steps(path)[0] not in names:
                raise DatasetError(
                    f"{where}: has no column {quoted(path)} for --map {field}=...; its columns "
                    f"are {list_names(names)}"
                )
        usual = self._fields[needed[0]]
        if not any(field in self._mapping or self.may_hold(field, names) for field in needed):
            raise DatasetError(
                f"{where}: has no column {usual[0]!r}; its columns are {list_names(names)}: say "
                f"which holds {title} with --map {needed[0]}=COLUMN"
            )

    def may_hold(self, field: str, known: Collection[str]) -> bool:
        """Return whether a row with these columns may have a field."""
        return any(path in known or steps(path)[0] in known for path in self._paths(field))

    def wanted(self, known: Iterable[str]) -> list[str]:
        """Return the top-level columns to read."""
        names = list(known)
        fields = (*self._fields, *self._labels.values())
        paths = [path for field in fields for path in self._paths(field)]
        first = {path if path in names else steps(path)[0] for path in paths}
        return [name for name in names if name in first]

    def find(self, field: str, values: Object) -> object:
        """Return the value of a field, `MISSING` if there is none.

        Raises:
            RowError: The mapped place is not there.
        """
        found = MISSING
        for path in self._paths(field):
            value = value_at(values, path)
            # Two columns of ids name different things: one does not stand in for the other.
            if value is not MISSING and (field == "id" or value not in (None, "", [])):
                return value
            found = value if found is MISSING else found
        if found is MISSING and field in self._mapping:
            path = quoted(self._mapping[field])
            raise RowError(f"has no {path} for the {field}; its keys are {list_names(values)}")
        return found

    def get(self, field: str, values: Object) -> object:
        """Return the value of a field, None if there is none.

        Raises:
            RowError: The mapped place is not there.
        """
        value = self.find(field, values)
        return None if value is MISSING else value

    def each(self, field: str, values: Object) -> list[object]:
        """Return the values of all columns that may hold a field, empty ones included.

        Raises:
            RowError: The mapped place is not there.
        """
        self.find(field, values)
        found = (value_at(values, path) for path in self._paths(field))
        return [value for value in found if value is not MISSING]

    def messages(self, values: Object) -> list[object]:
        """Return the messages of a row.

        A column that is only called so is left alone where another says what is asked: it
        may hold anything.

        Raises:
            RowError: What is mapped is no list of messages.
        """
        asked = self.find("text", values)
        if "messages" not in self._mapping and asked not in (MISSING, None, ""):
            return []
        return _as_messages(self.get("messages", values))

    def labels(self, values: Object) -> dict[str, str]:
        """Return the labels of a row, including those in our own format.

        One that is not there, null or blank says nothing.

        Raises:
            RowError: A value is no name, nor a list of names.
        """
        said = _own_labels(values)
        for name, key in self._labels.items():
            said[name] = value_at(values, self._mapping[key])
            if said[name] is not MISSING:
                self._unseen.pop(name, None)
        try:
            return tidy_labels(
                (name, None if value is MISSING else as_label(value, f"the label {name!r}"))
                for name, value in said.items()
            )
        except DatasetError as error:
            raise RowError(str(error)) from None

    def check_labels(self, where: object) -> None:
        """Raise an error if no row had a column that a label is mapped to.

        Args:
            where: The file.

        Raises:
            DatasetError: There is such a label.
        """
        for key in self._unseen.values():
            path = quoted(self._mapping[key])
            raise DatasetError(f"{where}: no row has {path} for --map {key}=...")

    def _paths(self, field: str) -> tuple[str, ...]:
        mapped = self._mapping.get(field)
        return self._fields[field] if mapped is None else (mapped,)


def _check_name(key: str) -> None:
    try:
        check_label_name(key.removeprefix(LABEL))
    except DatasetError as error:
        raise DatasetError(f"--map {quoted(key)}: {error}") from None


def _as_messages(value: object) -> list[object]:
    """Return the messages in a column: a list, or a list written as JSON.

    Raises:
        RowError: It is something else.
    """
    if value is None or value == "":
        return []
    if isinstance(value, str):
        try:
            value = decode(value.encode("utf-8", "surrogatepass"))
        except ValueError:
            raise RowError(f"the messages must be a list, not {describe(value)}") from None
    if not (messages := as_list(value)) and value != []:
        raise RowError(f"the messages must be a list, not {describe(value)}")
    return messages


def _own_labels(values: Object) -> Object:
    """Return the labels of a row in our own format, none if it has another shape."""
    own = as_object(values.get("labels"))
    return dict(own) if all(isinstance(value, str | None) for value in own.values()) else {}


def list_names(names: Iterable[str]) -> str:
    """List the first few column names for a message; long texts are left out."""
    names = list(names)
    if any(len(name.split()) > _MOST_WORDS for name in names):
        return "withheld, because they look like texts (is there a header?)"
    shown = [quoted(name) for name in names]
    more = f" and {len(shown) - 20} more" if len(shown) > 20 else ""
    return (", ".join(shown[:20]) or "none") + more
