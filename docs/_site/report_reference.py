"""Writes the reference of the JSON report from the dataclasses that it is made of."""

import inspect
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from safejury.evaluation.metrics import TargetSummary

_HEAD = """\
# The JSON report

`safejury report RUN --format json` writes one object. What was not measured is null, never 0;
shares are in [0, 1]; intervals are pairs of numbers, at 95 %. Later versions add fields; none is
taken away without a note in the changelog.

| key | what it holds |
|---|---|
| `run` | name, version, cases, cost, jury, set, config, record, notes, warnings, comparability |
| `by` | with `--by`: what `groups` break down by |
| `targets[]` | the figures of each target under each condition, below |
| `talk` | what talking did, where jurors talked ([trust](../trust.md#what-talking-did)) |

`run.record.sha256` is what `safejury verify` prints. Keys that start with `corrected` are left out
where nothing corrects a rate."""
_ITEM = re.compile(r"^    (\w+): (.*)$")


def report_page() -> str:
    """Return the page on the JSON report."""
    return "\n\n".join([_HEAD, *_sections(TargetSummary, "targets[]")]) + "\n"


def _sections(kind: Any, path: str) -> Iterator[str]:
    waiting, seen = [(path, kind)], {kind}
    while waiting:
        place, each = waiting.pop(0)
        about = _first_line(each)
        rows = ["| key | type | meaning |", "|---|---|---|"]
        hints = get_type_hints(each)
        said = _attributes(each)
        for field in fields(each):
            word, part, suffix = _described(hints[field.name])
            rows.append(f"| `{field.name}` | {word} | {_cell(said.get(field.name, ''))} |")
            if part is not None and part not in seen:
                seen.add(part)
                waiting.append((f"{place}.{field.name}{suffix}", part))
        anchor = each.__name__.lower()
        yield f"## `{place}` {{ #{anchor} }}\n\n{about}\n\n" + "\n".join(rows)


def _described(hint: Any) -> tuple[str, Any, str]:
    """Return a type in words, the dataclass in it, and what a path adds for it."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        word, part, suffix = _described(args[0])
        return f"{word} or null", part, suffix
    if is_dataclass(hint):
        name = cast("type", hint).__name__
        return f"[{_words(name)}](#{name.lower()})", hint, ""
    if origin is tuple:
        word, part, _ = _described(args[0])
        many = f"list of {word}" if Ellipsis in args else f"{len(args)} of {word}"
        return many, part, "[]"
    if origin is not None and issubclass(origin, Mapping):
        word, part, _ = _described(args[1])
        return f"mapping to {word}", part, "{}"
    return {int: "integer", float: "number", str: "text", bool: "true or false"}[hint], None, ""


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _first_line(kind: Any) -> str:
    return (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")


def _attributes(kind: Any) -> dict[str, str]:
    """Return what the docstring of a dataclass says of its fields."""
    found: dict[str, str] = {}
    name = ""
    for line in (inspect.getdoc(kind) or "").partition("Attributes:\n")[2].splitlines():
        if item := _ITEM.match(line):
            name = item[1]
            found[name] = item[2]
        elif name:
            found[name] += f" {line.strip()}"
    return found


def _cell(text: str) -> str:
    said = re.sub(r"\bNone\b", "null", text.replace("|", "\\|"))
    return " ".join(said.split())
