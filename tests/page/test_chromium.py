"""Without a browser, tests of the page are skipped aloud, or fail where there has to be one."""

import pytest
from chromium import missing, require

NOWHERE = "/nowhere"


@pytest.fixture(autouse=True)
def _no_browser(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setenv("PATH", NOWHERE)
    monkeypatch.delenv("SAFEJURY_CHROMIUM", raising=False)
    monkeypatch.delenv("SAFEJURY_REQUIRE_BROWSER", raising=False)


def test_a_test_is_skipped_and_says_what_is_missing() -> None:
    assert "apt-get install chromium" in str(missing())
    with pytest.raises(pytest.skip.Exception, match="Chromium"):
        require()


def test_a_test_fails_where_there_has_to_be_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEJURY_REQUIRE_BROWSER", "1")
    with pytest.raises(pytest.fail.Exception, match="SAFEJURY_REQUIRE_BROWSER is 1"):
        require()


def test_another_chromium_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEJURY_CHROMIUM", "/opt/chrome/chrome")
    assert missing() is None
