"""The head of a cluster is looked for, because Ray would end the process without it."""

import pytest

from safejury.common import OutageError
from safejury.evaluation.engine.cluster import Head
from safejury.testing import ScriptedServer


async def test_a_head_that_stays_away_ends_a_run_and_one_that_comes_back_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long one look takes: this process may have stood still meanwhile."""
    for name in ("_LOOK_S", "_PATIENCE_S"):
        monkeypatch.setattr(f"safejury.evaluation.engine.cluster._head.{name}", 0.0)
    async with ScriptedServer() as server:
        address = server.base_url.removeprefix("http://").partition("/")[0]
        head = Head(address)
        assert await head.look()
        await server.aclose()
        assert [await head.look() for _ in range(3)] == [False] * 3
        await server.start()
        assert await head.look()
        await server.aclose()
        assert [await head.look() for _ in range(3)] == [False] * 3
        with pytest.raises(OutageError, match=f"at {address} does not answer any more"):
            await head.look()
