"""Make the pictures of a case fit the model that is to see them."""

from dataclasses import replace

from ...common import DatasetError, RequestError
from ...datasets import ImageFitter, with_images
from ...models import Modality
from ..case import Case
from ._call import BallotCall
from ._call_meter import CallMeter


async def fit_pictures(
    call: BallotCall,
    modalities: frozenset[Modality],
    fitting: ImageFitter | None,
    meter: CallMeter,
) -> tuple[BallotCall, frozenset[Modality]]:
    """Return the call with pictures that a model takes, and what of it the model is sent.

    Args:
        call: What is asked.
        modalities: What the model takes in.
        fitting: Makes pictures fit; None leaves them as they are.
        meter: Notes what was changed or withheld.

    Raises:
        RequestError: A picture cannot be made to fit, or cannot be read; nothing was sent.
    """
    case, modalities = await fit_case(call.case, modalities, fitting, meter)
    return (call if case is call.case else replace(call, case=case)), modalities


async def fit_case(
    case: Case,
    modalities: frozenset[Modality],
    fitting: ImageFitter | None,
    meter: CallMeter,
) -> tuple[Case, frozenset[Modality]]:
    """Return a case with pictures that a model takes; see `fit_pictures`."""
    query = case.query
    if fitting is None or not query.images or "image" not in modalities:
        return case, modalities
    if (excess := fitting.excess(query.images)) is not None:
        meter.note(f"the pictures were withheld: {excess}")
        return case, modalities - {"image"}
    try:
        fitted = await fitting.fitted(query.images)
    except DatasetError as error:
        raise RequestError(str(error), unsent=True) from error
    for change in fitted.changes:
        meter.note(change)
    if fitted.images == query.images:
        return case, modalities  # with what is kept of it
    return replace(case, query=with_images(query, fitted.images)), modalities
