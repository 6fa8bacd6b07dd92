"""For all tests: signals end what they start, and a missing extra skips what needs it."""

import asyncio
import os
import re
import signal
import tomllib
from collections.abc import Generator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings
from packaging.requirements import Requirement

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"
_RUN = asyncio.run
_IMPORTED_AS = {"agent_framework_core": "agent_framework", "scikit_learn": "sklearn"}
_TOLD = re.compile(r"needs the package (\S+), which is not installed")


# How long it takes to make an example says something of the machine, and nothing of the code.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_configure() -> None:
    """Let no process inherit that a signal is ignored, as in the background or under nohup.

    What is ignored is inherited; a handler is not, so a process starts with the system's way.
    """
    # Else pytest-asyncio makes a loop to put back after a test, which a command that a later
    # test runs in this process drops unclosed: a warning, and so a failure, of any test.
    asyncio.set_event_loop(None)
    for name, handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", _stay)):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def _stay(number: int, frame: FrameType | None) -> None:
    """Do nothing, as before."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the embedded model, so that one of several processes has it to itself.

    The others take over what else that process was to do.
    """
    items.sort(key=lambda item: item.get_closest_marker("embedded") is None)


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Fail the test that lets a library replace `asyncio.run`: later tests would leak loops."""
    replaced, asyncio.run = asyncio.run, _RUN
    assert replaced is _RUN, f"{item.nodeid} let a library replace asyncio.run (nest_asyncio?)"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Skip a test that fails because an extra is missing."""
    report = yield
    # Half of a surrogate pair, such as in a file's odd name, would not reach another process.
    report.sections = [(name, _encodable(text)) for name, text in report.sections]
    # A command says it and ends, and its test may fail on something else that it misses.
    told = report.longreprtext + "".join(text for _, text in report.sections)
    missing = _missing(call.excinfo, told if report.failed else "")
    if missing is not None and not hasattr(report, "wasxfail"):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, f"Skipped: {missing} is missing")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Skip a file whose imports need an extra that is missing."""
    report = yield
    call = getattr(report, "call", None)
    missing = _missing(call.excinfo if isinstance(call, pytest.CallInfo) else None)
    if missing is not None:
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, f"Skipped: {missing} is missing")
    return report


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _missing(raised: pytest.ExceptionInfo[BaseException] | None, told: str = "") -> str | None:
    """Return the package of an extra whose absence an exception, or what was told, comes from."""
    if "SAFEJURY_REQUIRE_EMBEDDED" in os.environ:  # where everything is installed
        return None
    error = None if raised is None else raised.value
    while error is not None:
        if isinstance(error, ModuleNotFoundError):
            missing = _of_an_extra(error.name)
        else:
            missing = _told(str(error))
        if missing is not None:
            return missing
        error = error.__cause__ or error.__context__
    return _told(told)


def _told(text: str) -> str | None:
    """Return the package of an extra that a message says is not installed."""
    return next(filter(None, map(_of_an_extra, _TOLD.findall(text))), None)


def _of_an_extra(module: str | None) -> str | None:
    """Return the package of a module, if it is one of an extra, and is missing."""
    package = (module or "").partition(".")[0]
    return package if package in _optional() and find_spec(package) is None else None


@cache
def _optional() -> frozenset[str]:
    """Return the packages of all extras, as they are imported."""
    project = tomllib.loads(_PROJECT.read_text("utf-8"))["project"]
    wanted = [line for extra in project["optional-dependencies"].values() for line in extra]
    names = (Requirement(line).name.replace("-", "_") for line in wanted)
    return frozenset(_IMPORTED_AS.get(name, name) for name in names)
