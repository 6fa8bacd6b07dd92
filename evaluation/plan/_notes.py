"""Notes for the user before a run starts."""

from collections.abc import Iterator

from ...common import escape_line
from ...deliberation import card_sha256
from ...deliberation.protocol.card import other_jury
from ...models import EMBEDDED_WARNING
from ..record import jury_identity
from ._identity import identity_of
from ._plan import RunPlan
from ._recorded_files import recorded_notes


def plan_notes(plan: RunPlan) -> Iterator[str]:
    """Yield the notes on a run before it starts, a line each."""
    if plan.uses_embedded:
        yield EMBEDDED_WARNING
    yield from (escape_line(f"{plan.dataset}: {note}.") for note in plan.selection.dataset.notes)
    yield from recorded_notes(plan.recorded, plan.options.epochs)
    yield from (f"{note}." for note in card_notes(plan))


def card_notes(plan: RunPlan) -> Iterator[str]:
    """Yield what a reader must know of a rule that decides by a jury card, a line each."""
    protocol = plan.jury.protocol
    rule, card = protocol.rule, protocol.rule.card
    if card is None:
        return
    made = f" of {card.made}" if card.made else ""
    labels = f"{card.labels.cases} labeled cases, {card.labels.unsafe} of them unsafe"
    yield escape_line(
        f"The rule is {rule}; the jury card is {card_sha256(card)[:12]}{made} ({labels})"
    )
    if said := other_jury(card, jury_identity(identity_of(plan), plan.jury.infos)):
        yield escape_line(f"The jury card is of another jury, and its figures are a guess: {said}")
    known = card.rules.get("as_decided")
    measured = None if known is None else (known.protocol.rule.split()[0], known.protocol.talk)
    if rule.is_by_card and protocol.talk != "never" and measured != (rule.name, protocol.talk):
        yield (
            "The jury card was measured on the first ballots, and the jurors may vote again: what "
            "the rule makes of those ballots is not calibrated"
        )
