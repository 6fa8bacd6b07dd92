"""Joins the facts that runs keep on themselves as a whole."""

from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import msgspec

from ....common.text import many
from ....datasets import Intent
from ...trials import Plan, PlannedCases
from .._jury import cases_of
from .._meta import SEALED, binding
from ..growth import GROWN, with_addition
from ..identity import PRUNED, written_notes
from ._source import Source

Kind = tuple[str, str, str | None, Intent | None]
_BY_TARGET = ("systems", "facts")
_decode = msgspec.json.decode


def merged_facts(
    sources: list[Source], identity: Mapping[str, Any], name: str, *, into: bool
) -> dict[str, str]:
    """Return the rows of `meta` of the merged run.

    Args:
        sources: The runs.
        identity: The identity of all together.
        name: The name of the merged run.
        into: Whether the others are merged into the first.
    """
    first, *others = sources
    raw = {key: value for source in reversed(sources) for key, value in _raw(source).items()}
    for key in _BY_TARGET:
        said = [_decode(_raw(each)[key]) for each in reversed(sources) if key in _raw(each)]
        if said:
            raw[key] = _text({name: it for each in said for name, it in each.items()})
    plan, parts_of = _planned(sources)
    raw |= {
        "name": name,
        "version": version("safejury"),
        "identity": _text(identity),
        "embedded": "yes" if any(_raw(it).get("embedded") == "yes" for it in sources) else "no",
        "total": str(plan.total),
        "used": _text(_used(sources)),
        "notes": _text(_union(each.reader.meta.notes for each in sources)),
        "unbound": _text(_union(each.reader.meta.unbound for each in sources)),
        "limits": _text(_limits(sources)),
        "parts_of": _text(parts_of),
        "asked": _text("merged"),
        "unasked": "0",
        "queries": _text(_queries(sources)),
        SEALED: "yes" if all(each.reader.meta.sealed for each in sources) else "partly",
    }
    raw.pop("planned", None)
    if plan.parts:
        raw["planned"] = plan.as_json()
    if any(_raw(each).get("selected") != _raw(first).get("selected") for each in others):
        raw["selected"] = "[]"
    if served := _served(sources):
        raw["servers"] = _text(served)
    steps = {msgspec.json.encode(it): it for each in sources for it in each.reader.meta.grown}
    history = sorted(steps.values(), key=lambda step: step.when)
    raw.pop(GROWN, None)
    if history:
        raw[GROWN] = _text(history)
    if notes := [note for each in sources for note in each.reader.meta.pruned]:
        raw[PRUNED] = written_notes(notes)
    if added := [each for each in (others if into else sources) if each.new]:
        raw |= with_addition(
            raw,
            first.identity,
            version=raw["version"],
            added=", ".join(_words(each) for each in added),
            of=sorted(of for each in sources for of in cases_of(each.reader.meta)),
            merged=[each.directory.name for each in added],
        )
    return {**raw, **binding(raw)}


def _raw(source: Source) -> Mapping[str, str]:
    return source.reader.meta.raw


def _words(source: Source) -> str:
    return f"{many(source.new, 'case')} of {source.directory.name}"


def _queries(sources: list[Source]) -> int | None:
    """Return the number of queries, None where the runs have different ones."""
    known = {source.reader.meta.queries for source in sources}
    sets = {_text(source.identity.get("dataset")) for source in sources}
    return known.pop() if len(known) == len(sets) == 1 else None


def _used(sources: list[Source]) -> dict[str, Any]:
    """Return the numbers of items and rows used; those of one file count once."""
    items, rows, files = dict[str, int](), dict[str, int](), set[tuple[str, str]]()
    for source in sources:
        used, said = source.reader.meta.used, source.identity
        items[str(said.get("dataset", {}).get("sha256"))] = used.items
        for name, number in used.rows.items():
            file = (name, str(said.get("responses", {}).get(name)))
            if file not in files:
                files.add(file)
                rows[name] = rows.get(name, 0) + number
    return {"items": sum(items.values()), "rows": rows}


def _limits(sources: list[Source]) -> dict[str, float | int | None]:
    """Return the limits of all together; none where one of them has none."""
    limits = [source.reader.meta.limits for source in sources if source.new]
    limits = limits or [sources[0].reader.meta.limits]
    tokens = [each.max_tokens_total for each in limits]
    usd = [each.max_cost_usd for each in limits]
    return {
        "max_tokens_total": None if None in tokens else sum(it or 0 for it in tokens),
        "max_cost_usd": None if None in usd else sum(it or 0 for it in usd),
    }


def _served(sources: list[Source]) -> dict[str, list[str]]:
    served: dict[str, list[str]] = {}
    for source in sources:
        for server, targets in source.reader.meta.served.items():
            served[server] = _union([served.get(server, ()), targets])
    return served


def _planned(sources: list[Source]) -> tuple[Plan, dict[str, tuple[str, ...]]]:
    """Return the planned cases, and which selections of queries each target was asked.

    Of two runs that selected the same queries for a target, the larger plan has that of the other;
    else what both have judged counts once.
    """
    first, *others = sources
    plan, parts_of = first.reader.meta.plan, first.parts_of()
    for source in others:
        added, asked = source.reader.meta.plan, source.parts_of()
        if not plan.parts or not added.parts:
            plan = Plan(plan.total + added.total - source.same - source.differing)
        else:
            plan = _together(plan, added, source, parts_of)
        for name, parts in asked.items():
            parts_of[name] = tuple(dict.fromkeys([*parts_of.get(name, ()), *parts]))
    return plan, parts_of


def _together(
    one: Plan, two: Plan, source: Source, parts_of: Mapping[str, tuple[str, ...]]
) -> Plan:
    asked = source.parts_of()
    coarse = {
        part[:2] for plan in (one, two) for part in plan.parts if part.scenario is None
    }  # as earlier versions counted them

    def counts(parts: Iterable[PlannedCases]) -> Counter[Kind]:
        found = Counter[Kind]()
        for target, condition, scenario, intent, cases in parts:
            if (target, condition) in coarse:
                scenario, intent = None, None
            found[target, condition, scenario, intent] += cases
        return found

    before, after = counts(one.parts), counts(two.parts)
    again = counts(kind._replace(cases=number) for kind, number in source.again.items())
    merged: dict[Kind, int] = {}
    for kind in dict.fromkeys([*before, *after]):
        target = kind[0]
        if set(asked.get(target, ())) <= set(parts_of.get(target, ())):
            merged[kind] = max(before[kind], after[kind])
        else:
            merged[kind] = before[kind] + after[kind] - again[kind]
    return Plan.of(PlannedCases(*kind, cases) for kind, cases in merged.items())


def _union(lists: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(it for each in lists for it in each))


def _text(data: object) -> str:
    return msgspec.json.encode(data).decode()
