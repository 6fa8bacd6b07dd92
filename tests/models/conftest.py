"""For tests of endpoints: they hold over both transports."""

import pytest


@pytest.fixture(params=["lean", "aiohttp"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which transport near servers are spoken with."""
    if request.param == "lean":
        monkeypatch.delenv("SAFEJURY_TRANSPORT", raising=False)
    else:
        monkeypatch.setenv("SAFEJURY_TRANSPORT", request.param)
    return request.param
