"""Make the pictures of a case fit the model that is to see them."""

import asyncio
from dataclasses import replace

from ...common import DatasetError, RequestError
from ...datasets import ImageFitter, with_images
from ...models import Modality
from ..case import Case
from ._ballot import Ballot
from ._call import BallotCall
from ._call_meter import CallMeter
from ._casting import cast_failure
from ._evidence import TEXT_ONLY, perceive


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
        DatasetError: A picture cannot be made to fit, or cannot be read.
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
    fitted = await asyncio.to_thread(fitting.fit, query.images)
    for change in fitted.changes:
        meter.note(change)
    return replace(case, query=with_images(query, fitted.images)), modalities


def unshown(name: str, call: BallotCall, error: DatasetError, meter: CallMeter) -> Ballot:
    """Return the ballot of a juror that was not asked, as its model would not get the picture."""
    perceived = perceive(call.case, TEXT_ONLY)
    return cast_failure(
        name, call, RequestError(str(error), unsent=True), perceived=perceived, meter=meter
    )
