"""Asks the models that make a taxonomy, and counts the replies that hold nothing."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel

from ...agents import ReplyFailure
from ..calls import Answer, NamedModel, ask, seed_for
from ..pipeline import StageContext, StageCounts

T = TypeVar("T", bound=BaseModel)


class TaxonomyCalls(StageCounts):
    """Asks models, a bounded number at a time.

    Args:
        context: Whose models are asked.

    Counts are named by what a call is for: `propose_calls`, `propose_refused`, …
    """

    def __init__(self, context: StageContext) -> None:
        self.context = context
        super().__init__()
        self._slots = asyncio.Semaphore(context.concurrency)

    async def ask(
        self,
        member: NamedModel,
        prompt: str,
        shape: type[T],
        call_id: str,
        *,
        parents: Sequence[str] = (),
    ) -> Answer[T] | ReplyFailure:
        """Ask a model once.

        Args:
            member: Who is asked.
            prompt: All the words.
            shape: The shape of the reply.
            call_id: `taxonomy/`, what it is for, and to what it belongs.
            parents: Items that the answer is made from.

        Raises:
            BudgetError: The budget does not cover the call.
            FirstContactError: The model never answered once and waiting won't help.
        """
        settings = self.context.settings
        async with self._slots:
            answer = await ask(
                member,
                prompt,
                shape,
                call_id=call_id,
                seed=seed_for(settings.seed, call_id),
                max_tokens=settings.max_tokens,
                parents=parents,
            )
        purpose = call_id.split("/")[1]
        self.add(f"{purpose}_calls")
        if isinstance(answer, ReplyFailure):
            self.add_missing(purpose, answer)
        self.context.progress.step(note=purpose)
        return answer

    def missing_replies(self, purpose: str) -> str:
        """Describe the calls of a step that returned nothing usable; empty if there are none."""
        reasons = {
            reason: self.counts[f"{purpose}_{reason}"]
            for reason in ("refused", "filtered", "unparsed", "failed")
        }
        parts = ", ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
        if not parts:
            return ""
        calls = self.counts[f"{purpose}_calls"]
        why = f"; last error: {self.failure}" if reasons["failed"] else ""
        return f"{sum(reasons.values())} of {calls} calls returned nothing usable ({parts}{why})"
