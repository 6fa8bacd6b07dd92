"""Opens a jury outside of a run, with models and managed servers of its own."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from ...common import BudgetError, SafejuryError
from ...datasets import MediaStore
from ...deliberation import Jury, JurySpec
from ...models import Budget
from ..config import LimitsConfig
from ..models import ManagedServers, open_models
from ..servers import ServerBook


@asynccontextmanager
async def open_jury(
    spec: JurySpec,
    limits: LimitsConfig,
    servers: ServerBook,
    *,
    cache: str | None = None,
    spent: tuple[int, float, int] | None = None,
    refusal: type[SafejuryError] = BudgetError,
) -> AsyncGenerator[tuple[Jury, Budget]]:
    """Open a jury and its models, and close all in the end; what it keeps meanwhile goes then.

    Args:
        spec: The jury.
        limits: What may be taken of endpoints, and spent.
        servers: The managed servers of its models.
        cache: A file of answers, None for none.
        spent: Tokens, US dollars and calls of unknown price that were spent before.
        refusal: The error of a call that the budget refuses; see `Budget`.

    Yields:
        The jury, and the budget that its calls are charged to.
    """
    with tempfile.TemporaryDirectory(prefix="safejury-") as place:
        folder = Path(place)
        opening = open_models(
            limits,
            servers=ManagedServers(servers.uses, folder, _ignore),
            spent=spent,
            cache=cache,
            refusal=refusal,
        )
        async with opening as models:
            media = MediaStore(folder / "media")
            async with Jury.seated(spec, models.registry, media=media) as jury:
                yield jury, models.budget


def _ignore(message: str) -> None:
    """Say nothing: something else has the screen."""
