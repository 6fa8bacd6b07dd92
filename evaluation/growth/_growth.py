"""Works out what of a run that is begun stands, and what its config adds to it."""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from ...common import RecordError, escape_line
from ...common.text import many
from ...datasets.query import conditions_of
from ..plan import Earlier, RunPlan, identity_of
from ..record import (
    Grown,
    Joined,
    Meta,
    RecordReader,
    cases_sha256,
    is_begun,
    join_identities,
    plain,
    selects_others,
    with_addition,
)
from ..trials import Plan, PlannedCases
from ._judged import JudgedCases
from ._meta import joined_meta


@dataclass(frozen=True, slots=True)
class Growth:
    """What a run that is begun becomes.

    Attributes:
        grown: What is stored of it.
        added: What its config adds, in words; empty where it adds nothing.
        finished: Finished cases.
        total: Cases of the config, and finished ones beside it.
    """

    grown: Grown
    added: str
    finished: int
    total: int

    def changes(self) -> Iterator[str]:
        """Yield what the config changes, a line each; none where it changes nothing."""
        if self.added:
            yield escape_line(f"growing: {self.added} more")
        if left := self.grown.left:
            names = ", ".join(map(repr, left))
            yield escape_line(f"no more in the config, and what is judged of it stays: {names}")
        elif self.grown.unasked:
            cases = many(self.grown.unasked, "judged case")
            yield f"no more asked by the config, and in the report still: {cases}"

    def lines(self) -> Iterator[str]:
        """Yield what stands and what is new, a line each."""
        changes = list(self.changes())
        if self.added:
            yield f"{changes.pop(0)}; {self.done}"
        else:
            yield self.done
        yield from changes

    @property
    def done(self) -> str:
        """How many cases are finished, in words."""
        return f"{self.finished:,} of {self.total:,} cases done"


async def look(plan: RunPlan) -> tuple[Growth | None, Container[str]]:
    """Return what becomes of the run of a plan, and the ids of its finished cases.

    Nothing is written. The first is None where nothing of it is kept.

    Raises:
        RecordError: It was begun with another configuration, or cannot be read.
    """
    if not is_begun(plan.directory):
        return None, ()
    with closing(RecordReader(plan.directory)) as reader:
        return await growth_of(reader, plan, {}), _Ids(reader.kept.ids())


async def growth_of(reader: RecordReader, plan: RunPlan, meta: Mapping[str, str]) -> Growth | None:
    """Compare a run that is begun with a plan; None where nothing of it has to be kept.

    Args:
        reader: The run's record.
        plan: What is asked now.
        meta: Facts that are stored of the plan beside its identity.

    Raises:
        RecordError: The plan has another jury, cap, or seed, or other queries or responses than
            what is judged.
    """
    finished, _ = reader.counts()
    selection = plan.selection
    earlier = Earlier.of(reader.meta).within(*selection.known) if finished else ()
    if selection.earlier != earlier:
        raise RecordError(f"{plan.directory}: it was changed meanwhile: repeat the command.")
    identity = plain(identity_of(plan))
    try:
        if finished:
            return await _Growing(reader, plan, identity, meta, finished).growth()
        return await _not_begun(reader, plan, identity, meta)
    except sqlite3.Error as error:
        raise RecordError(f"{plan.directory}: the record cannot be read ({error}).") from error


async def _not_begun(
    reader: RecordReader, plan: RunPlan, identity: Mapping[str, Any], meta: Mapping[str, str]
) -> Growth | None:
    """Return what becomes of a run without a finished case, None where it begins anew."""
    # Until a case is finished there is nothing that another configuration could taint: calls are
    # kept with a hash of their request, and of responses those that were to the same questions.
    with suppress(RecordError):
        joined = join_identities(plan.directory, reader.meta.identity, identity)
        stale = await _compared(reader, plan, joined)
        grown = Grown(identity, meta, stale=stale)
        return Growth(grown, "", 0, plan.total)
    return None


async def _compared(reader: RecordReader, plan: RunPlan, joined: Joined) -> list[str]:
    """Compare what is kept with the plan, and return the cases of responses to be asked again."""
    if reader.meta.identity.get("dataset", {}).get("sha256") == plan.selection.dataset.sha256 and (
        not joined.reread
    ):
        return []
    cases = JudgedCases(plan.directory, reader.kept.by_query(), plan, joined.reread)
    return await cases.compare()


class _Growing:
    """Compares a run that has finished cases with a plan."""

    def __init__(
        self,
        reader: RecordReader,
        plan: RunPlan,
        identity: dict[str, Any],
        meta: Mapping[str, str],
        finished: int,
    ) -> None:
        self._reader = reader
        self._plan = plan
        self._kept: Meta = reader.meta
        self._identity = identity
        self._asked = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
        self._meta = meta
        self._finished = finished

    async def growth(self) -> Growth:
        kept, plan = self._kept, self._plan
        if kept.asked is None and kept.identity == self._identity:
            return self._grown(Grown(kept.identity, self._meta), "")
        if kept.asked == self._asked:
            left = tuple(name for name in _names(kept.identity) if name not in plan.target_names)
            meta = joined_meta(kept, self._meta, left)
            # The plan is what it was, with what is asked no more.
            meta |= {key: kept.raw[key] for key in ("planned", "total") if key in kept.raw}
            return self._grown(Grown(kept.identity, meta, kept.unasked, left), "")
        joined = join_identities(plan.directory, kept.identity, self._identity)
        joined.identity["transcriber"] = self._transcriber(joined)
        self._check_random()
        stale = await _compared(self._reader, plan, joined)
        beside, unasked = self._beside()
        planned = Plan.of([*plan.planned.parts, *beside]) if beside else plan.planned
        meta = joined_meta(kept, self._meta, joined.left)
        meta |= {"planned": planned.as_json(), "total": str(planned.total)}
        differs = joined.identity != self._identity or unasked or kept.asked is not None
        if differs:
            meta |= {"asked": json.dumps(self._asked), "unasked": str(unasked)}
        if added := ", ".join(self._added(joined)):
            now = version("safejury")
            of = [cases_sha256(kept.identity)]
            meta |= with_addition(kept.raw, kept.identity, version=now, added=added, of=of)
        return self._grown(Grown(joined.identity, meta, unasked, joined.left, stale), added)

    def _grown(self, grown: Grown, added: str) -> Growth:
        return Growth(grown, added, self._finished, self._plan.total + grown.unasked)

    def _transcriber(self, joined: Joined) -> str | None:
        """Return what writes down sounds.

        Raises:
            RecordError: Sounds that were judged would be written down otherwise.
        """
        was, now = self._kept.identity.get("transcriber"), self._identity["transcriber"]
        if not joined.transcriber or not self._reader.kept.has_sound():
            return now
        selection, conditions = self._plan.selection, self._plan.conditions
        written = any(each.parts in ("given", "audio+text") for each in conditions)
        if now is None and not (selection.has_sound and written):
            return was  # the config has no use for one
        raise RecordError(
            f"{self._plan.directory}: this run was started with another configuration: transcriber "
            f"was {json.dumps(was)} and is {json.dumps(now)}. Change it back to resume, or give "
            "this run another run.name."
        )

    def _check_random(self) -> None:
        """Refuse other queries where pictures of all of them were shown at random."""
        was, plan = self._kept.identity, self._plan
        if "random" not in was.get("images", ()) or not selects_others(was, self._identity):
            return
        raise RecordError(
            f"{plan.directory}: `images: random` shows pictures of other queries, so with other "
            "queries than before the judged ones would have been shown others: give this run "
            "another run.name."
        )

    def _beside(self) -> tuple[list[PlannedCases], int]:
        """Return the cases beside the plan: those judged, or planned for what the config left.

        Also return how many of them are judged.
        """
        asked = self._asked_cases()
        judged = Counter[PlannedCases]()
        unasked = 0
        for kind, case_id in self._reader.kept.kinds():
            if case_id not in asked:
                judged[kind] += 1
                unasked += 1
        names, conditions = set(self._plan.target_names), {c.name for c in self._plan.conditions}
        beside = {kind[:4]: number for kind, number in judged.items()}
        for part in self._kept.plan.parts:
            if part.target not in names or part.condition not in conditions:
                kind = part[:4]
                if part.scenario is None:  # as earlier versions counted them
                    beside = {k: n for k, n in beside.items() if k[:2] != kind[:2]}
                beside[kind] = max(part.cases, beside.get(kind, 0))
        return [PlannedCases(*kind, cases) for kind, cases in beside.items()], unasked

    def _asked_cases(self) -> "_Ids":
        return _Ids(trial.case_id for trial in self._plan.trials())

    def _added(self, joined: Joined) -> Iterator[str]:
        """Yield what the config adds, in words."""
        plan, kept = self._plan, self._kept
        if joined.targets:
            yield many(len(joined.targets), "target")
        if joined.selects and (more := self._more_queries()):
            yield "queries" if more is True else many(more, "query", "queries")
        if joined.epochs > 0:
            yield many(joined.epochs, "epoch")
        before = {
            condition.name
            for condition in conditions_of(
                kept.identity.get("images", ["original"]),
                kept.identity.get("sound", ["given"]),
                kept.identity.get("voices", ()),
            )
        }
        if new := [each.name for each in plan.conditions if each.name not in before]:
            yield many(len(new), "condition")
        if joined.reread and not joined.selects:
            yield "responses"

    def _more_queries(self) -> int | bool:
        """Return the number of further queries, True where it is not known."""
        plan, kept = self._plan, self._kept
        if kept.queries is None:
            return True
        return max(0, len(plan.selection) - kept.queries)


class _Ids:
    """Ids of cases as hashes, so that many take little memory."""

    def __init__(self, ids: Iterator[str]) -> None:
        self._known = {hash(case_id) for case_id in ids}

    def __contains__(self, case_id: object) -> bool:
        return hash(case_id) in self._known


def _names(identity: Mapping[str, Any]) -> list[str]:
    return [str(target.get("name")) for target in identity.get("targets", ())]
