"""The jury card by which the probability of a case is corrected."""

from ...common import ConfigurationError
from ...deliberation import JuryCard
from ...deliberation.protocol.card import calibrated_model
from ..record import Meta, why_another_jury


def check_card(
    card: JuryCard, run: Meta, source: str = "the jury card", *, force: bool = False
) -> str | None:
    """Check that a card tells the probability that a case of a run is unsafe.

    Args:
        card: The card.
        run: The facts of the run.
        source: Where the card was read from, for messages.
        force: Whether a card will do that is of another jury of the same names.

    Returns:
        What a reader must know, None for nothing.

    Raises:
        ConfigurationError: It is of another jury, or has no model of the rule `calibrated`.
    """
    calibrated_model(card)
    why = why_another_jury(card, run.identity, run.jury)
    if why is None:
        return None
    strange = {seat.seat for seat in run.jury} ^ {seat.name for seat in card.jury.seats}
    if not force or strange:
        raise ConfigurationError(
            f"{source}: {why}: make a card of this jury with safejury calibrate"
            + ("" if strange else ", or add --force-card and take the probabilities as a guess")
        )
    return f"{source}: {why}; --force-card uses it all the same."
