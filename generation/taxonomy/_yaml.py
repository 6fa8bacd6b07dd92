"""Writes `taxonomy.yaml` in the layout of the bundled file."""

import textwrap
from collections.abc import Mapping, Sequence

import yaml

from ._group import Grouped
from ._items import Proposal
from ._merge import stands_for
from ._names import Names
from ._shapes import one_line
from ._write import ScenarioText

_TEXT = "tag:yaml.org,2002:str"
_HEAD = """\
# Scenarios that a panel of models proposed, scored and voted for, and a foreperson grouped.
# taxonomy.jsonl holds all proposals, with who proposed, merged, scored and voted what.
"""


def taxonomy_yaml(
    groups: Sequence[Grouped],
    names: Names,
    texts: Mapping[str, ScenarioText],
    proposals: Sequence[Proposal],
) -> bytes:
    """Return the content of `taxonomy.yaml`.

    Args:
        groups: The categories.
        names: Their ids and letters, and those of their scenarios.
        texts: Definition and guideline of each scenario, by the proposal's id.
        proposals: All proposals, to say who proposed what.
    """
    proposers = _proposers(proposals)
    lines = [_HEAD + "categories:\n"]
    for each, id_, alias in zip(groups, names.categories, names.aliases, strict=True):
        head = {"id": id_, "title": each.title, "alias": alias}
        lines += [_entry(head, 2), "    scenarios:\n"]
        for one in each.scenarios:
            text = texts[one.id]
            entry = {
                "id": names.scenarios[one.id],
                "title": one.name,
                "aliases": _Inline([names.letters[one.id]]),
                "definition": _Folded(text.definition),
                "guideline": _Folded(text.guideline),
            }
            lines += [f"      # {_story(one, proposers[one.id])}\n", _entry(entry, 6)]
    return "".join(lines).encode()


def _story(one: Proposal, proposers: Sequence[str]) -> str:
    """Return who proposed a scenario and how the panel scored it, in one line."""
    standing = one.standing
    assert standing is not None
    votes = [mark.vote for mark in one.marks if mark.vote is not None]
    silent = len(one.marks) - len(votes)
    parts = [f"{sum(votes)} of {len(votes)} votes{f' ({silent} gave none)' if silent else ''}"]
    parts += [
        f"{name} {score:.1f}"
        for name, score in (("harm", standing.harm), ("novelty", standing.novelty))
        if score is not None
    ]
    return one_line(f"Proposed by {', '.join(proposers)}: {', '.join(parts)}.")


def _proposers(proposals: Sequence[Proposal]) -> dict[str, list[str]]:
    """Return who proposed each scenario, under whatever name, by id."""
    stands, proposers = stands_for(proposals), dict[str, list[str]]()
    for one in proposals:
        found = proposers.setdefault(stands[one.id], [])
        if one.proposed_by not in found:
            found.append(one.proposed_by)
    return proposers


class _Folded(str):
    """Text that is written over several lines."""


class _Inline(list[str]):
    """A list that is written on one line."""


class _Dumper(yaml.SafeDumper):
    pass


def _folded(dumper: yaml.SafeDumper, text: _Folded) -> yaml.ScalarNode:
    return yaml.ScalarNode(_TEXT, str(text), style=">")


def _inline(dumper: yaml.SafeDumper, items: _Inline) -> yaml.SequenceNode:
    nodes = [yaml.ScalarNode(_TEXT, item) for item in items]
    return yaml.SequenceNode("tag:yaml.org,2002:seq", nodes, flow_style=True)


_Dumper.add_representer(_Folded, _folded)
_Dumper.add_representer(_Inline, _inline)


def _entry(fields: Mapping[str, object], indent: int) -> str:
    """Return fields as an entry of a list."""
    width = 85 - indent  # a line is broken after the word that passes it
    written = yaml.dump(fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width)
    lines = textwrap.indent(written, " " * (indent + 2))
    return f"{' ' * indent}- {lines[indent + 2 :]}"
