"""Counts replies and missing items in the dialogues of a stage."""

from collections.abc import Sequence
from typing import Any

from ...agents import ProposedQuery, QueryReply
from ..pipeline import StageCounts
from ._bus import Judged

MISSING_SCORES = "missing_scores."
"""What the count of a judge's missing scores begins with; the judge's name follows."""


class DialogueCounts(StageCounts):
    """Counts replies and missing items.

    Names of counts: `generator_REASON` and `judge_REASON` are replies that hold
    nothing (`refused`, `filtered`, `unparsed`, `failed`), those that were asked for once
    more included; `refused_items` and `unparsed_items` are items of replies that hold
    others, `surplus_items` those beyond what was asked for; `missing_scores` are scores
    that judges did not give, and `missing_scores.JUDGE` those of one, of the
    `asked_scores.JUDGE`; `REASON_scores.JUDGE` says why: for a reason of the whole reply,
    or as they were `unparsed` or `left_out` in one that holds others.
    """

    def add_reply(self, reply: QueryReply[ProposedQuery]) -> None:
        """Count the missing items of a reply by the generator."""
        self.add("refused_items", reply.refused)
        self.add("unparsed_items", reply.unparsed)
        self.add("surplus_items", reply.surplus)
        self._add_reply("generator", reply)

    def add_judgment(self, judged: Sequence[Judged], asked: int) -> None:
        """Count the missing scores of judges that were asked for `asked` items."""
        for one in judged:
            missing = asked - len(one.reply.items)
            self.add("missing_scores", missing)
            self.add(f"{MISSING_SCORES}{one.judge}", missing)
            self.add(f"asked_scores.{one.judge}", asked)
            self._add_missing_scores(one, missing)
            self._add_reply("judge", one.reply)

    @property
    def failed(self) -> int:
        """Calls that failed."""
        return self.counts["generator_failed"] + self.counts["judge_failed"]

    def sorted(self) -> dict[str, int]:
        """Return the counts in the order of their names."""
        return dict(sorted(self.counts.items()))

    def _add_missing_scores(self, one: Judged, missing: int) -> None:
        """Count a judge's missing scores by why they are missing."""
        if one.reply.failure is not None:
            self.add(f"{one.reply.failure.reason}_scores.{one.judge}", missing)
            return
        unparsed = min(missing, one.reply.unparsed)
        self.add(f"unparsed_scores.{one.judge}", unparsed)
        self.add(f"left_out_scores.{one.judge}", missing - unparsed)

    def _add_reply(self, who: str, reply: QueryReply[Any]) -> None:
        self.add(f"{who}_unparsed", reply.unread)
        if reply.failure is not None:
            self.add_missing(who, reply.failure)
