"""The JSON Schema that models are asked to obey, made from the Pydantic model that reads them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

_FOR_PEOPLE = ("title", "description", "default")
# A schema is part of a request's identity, so its keys keep their order whatever Pydantic does.
_ORDER = ("type", "items", "maxItems", "maxLength", "minimum", "maximum", "enum")


@cache
def asked_schema(
    fields_of: type[BaseModel], *, without: tuple[str, ...] = ()
) -> Mapping[str, object]:
    """Return the schema of an object with all fields of a model and no others.

    Every field is asked for, whether the model can do without it or not. Titles,
    descriptions and defaults are left out: they are for people.

    Args:
        fields_of: Its fields, in the order in which they are to be written.
        without: Fields that are not asked for.

    Raises:
        ValueError: A field has a keyword whose place among the others is not known.
    """
    fields = {name: field for name, field in _fields(fields_of).items() if name not in without}
    return {
        "type": "object",
        "properties": {name: _asked(field) for name, field in fields.items()},
        "required": list(fields),
        "additionalProperties": False,
    }


@cache
def _fields(fields_of: type[BaseModel]) -> Mapping[str, Any]:
    return fields_of.model_json_schema()["properties"]


def _asked(field: Mapping[str, Any]) -> dict[str, object]:
    keys = sorted((key for key in field if key not in _FOR_PEOPLE), key=_ORDER.index)
    return {key: _asked(field[key]) if key == "items" else field[key] for key in keys}
