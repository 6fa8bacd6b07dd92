"""The pytest plugin: the fixture `safejury` lets a jury judge an answer in a test.

It is loaded with pytest wherever safejury is installed, so it imports nothing heavy before a test
asks for a verdict; and no model is called unless that is asked for, by `--safejury`.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import pytest

from ..common import SafejuryError

if TYPE_CHECKING:
    from ..agents import Ballot, Finding
    from ..datasets import Query
    from ..deliberation import Judgment
    from ..targets import Response
    from ._asked_jury import AskedJury

_FIXTURE = "safejury"
_NO_VERDICT = ("fail", "skip", "xfail")
_NOT_ASKED = "a jury of models would be asked: add --safejury to ask it"
_jury_key = pytest.StashKey["AskedJury"]()


class JudgedAnswer:
    """A verdict in a test: `assert answer.safe`.

    Args:
        judgment: What the jury found.

    Attributes:
        judgment: The same, with its ballots and transcript.
    """

    def __init__(self, judgment: "Judgment") -> None:
        self.judgment = judgment

    @property
    def finding(self) -> "Finding | None":
        """`safe` or `unsafe`; None for no verdict."""
        return self.judgment.finding

    @property
    def safe(self) -> bool:
        """Whether the jury found it safe; without a verdict the test fails."""
        return self._found() == "safe"

    @property
    def unsafe(self) -> bool:
        """Whether the jury found it unsafe; without a verdict the test fails."""
        return self._found() == "unsafe"

    @property
    def rating(self) -> float | None:
        """The median of the jurors' ratings, 1 to 5, 5 the safest."""
        return self.judgment.rating

    @property
    def ballots(self) -> "tuple[tuple[Ballot, ...], ...]":
        """The ballots of each round."""
        return self.judgment.ballots

    def _found(self) -> "Finding":
        if self.finding is None:
            pytest.fail(_no_verdict(self.judgment), pytrace=False)
        return self.finding

    def __repr__(self) -> str:
        return f"<{self.judgment}>"


class JuryFixture:
    """Lets a jury judge answers: what the fixture `safejury` is.

    Args:
        request: That of the test.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._config = request.config
        self._node = cast(pytest.Item, request.node)

    def judge(
        self,
        question: "str | Query",
        answer: "str | Response",
        *,
        scenario: str | None = None,
        images: Sequence[str | Path] = (),
        audio: str | Path | None = None,
        no_verdict: Literal["fail", "skip", "xfail", "return"] | None = None,
    ) -> JudgedAnswer:
        """Let the jury judge an answer to a question; the parameters are those of `sj.judge`.

        Args:
            question: What was asked.
            answer: What your code answered.
            scenario: The risk scenario.
            images: Files of pictures that went with the question.
            audio: The file of a sound that went with it.
            no_verdict: What becomes of the test where no verdict comes; `return` hands that
                to the test. The setting of the session unless given.

        Returns:
            The verdict: `assert verdict.safe`.
        """
        with _failing():
            asked = self._jury().ask(question, answer, scenario, images, audio)
            try:
                judgment = asked.result()
            except KeyboardInterrupt:
                asked.cancel()  # the jury asks nobody else
                raise
            return self._judged(judgment, no_verdict)

    async def judge_async(
        self,
        question: "str | Query",
        answer: "str | Response",
        *,
        scenario: str | None = None,
        images: Sequence[str | Path] = (),
        audio: str | Path | None = None,
        no_verdict: Literal["fail", "skip", "xfail", "return"] | None = None,
    ) -> JudgedAnswer:
        """Do the same in an async test, of which others may go on meanwhile; see `judge`."""
        from asyncio import wrap_future  # which pytest itself does without

        with _failing():
            asked = self._jury().ask(question, answer, scenario, images, audio)
            return self._judged(await wrap_future(asked), no_verdict)

    def _jury(self) -> "AskedJury":
        if _jury_key not in self._config.stash:
            from ._asked_jury import AskedJury

            self._config.stash[_jury_key] = AskedJury(_jury_file(self._config))
        return self._config.stash[_jury_key]

    def _judged(self, judgment: "Judgment", no_verdict: str | None) -> JudgedAnswer:
        reveal = bool(self._config.getoption("safejury_reveal"))
        self._node.add_report_section("call", _FIXTURE, _described(judgment, reveal=reveal))
        self._node.user_properties.append((_FIXTURE, str(judgment)))
        if judgment.finding is None:
            match no_verdict or _setting(self._config, "no_verdict"):
                case "return":
                    pass
                case "skip":
                    pytest.skip(_no_verdict(judgment))
                case "xfail":
                    pytest.xfail(_no_verdict(judgment))
                case _:
                    pytest.fail(_no_verdict(judgment), pytrace=False)
        return JudgedAnswer(judgment)


@contextmanager
def _failing() -> Generator[None]:
    """Turn an error of ours into the failure of the test, in a line."""
    try:
        yield
    except SafejuryError as error:
        raise pytest.fail.Exception(f"safejury: {error}", pytrace=False) from None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the fixture `safejury`."""
    group = parser.getgroup(_FIXTURE, "judge answers by a jury of models")
    group.addoption(
        "--safejury",
        action="store_true",
        dest="safejury_ask",
        help="Run the tests that ask a jury of models; else they are skipped.",
    )
    group.addoption(
        "--safejury-jury",
        metavar="FILE",
        dest="safejury_jury",
        help="Who judges: a YAML file with the keys jury and limits, or the config of a run.",
    )
    group.addoption(
        "--safejury-no-verdict",
        choices=_NO_VERDICT,
        dest="safejury_no_verdict",
        help="What becomes of a test whose answer gets no verdict (fail).",
    )
    group.addoption(
        "--safejury-reveal",
        action="store_true",
        dest="safejury_reveal",
        help="Show the jurors' reasons where a test fails; they may quote what is harmful.",
    )
    parser.addini("safejury_ask", "As --safejury.", type="bool", default=False)
    parser.addini("safejury_jury", "As --safejury-jury, relative to the ini file.", default="")
    parser.addini("safejury_no_verdict", "As --safejury-no-verdict.", default="fail")


def pytest_configure(config: pytest.Config) -> None:
    """Check the settings, and register the marker that tests of the fixture get."""
    config.addinivalue_line("markers", "safejury: asks a jury of models, if --safejury is given")
    if _setting(config, "no_verdict") not in _NO_VERDICT:
        raise pytest.UsageError(
            f"safejury_no_verdict must be {', '.join(_NO_VERDICT)}, not "
            f"{_setting(config, 'no_verdict')!r}"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that ask a jury, so that `-m safejury` chooses them."""
    for item in items:
        if _FIXTURE in getattr(item, "fixturenames", ()):
            item.add_marker(_FIXTURE)


@pytest.fixture
def safejury(request: pytest.FixtureRequest) -> JuryFixture:
    """Let a jury judge an answer: `assert safejury.judge(question, answer).safe`.

    The test is skipped unless --safejury is given. The jury is that of `safejury_jury`.
    """
    config = request.config
    if not (config.getoption("safejury_ask") or config.getini("safejury_ask")):
        pytest.skip(_NOT_ASKED)
    return JuryFixture(request)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the jury."""
    if (jury := config.stash.get(_jury_key, None)) is not None:
        jury.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were skipped because nobody asked for them."""
    skipped: list[pytest.TestReport] = terminalreporter.getreports("skipped")
    if number := sum(_NOT_ASKED in str(each.longrepr) for each in skipped):
        terminalreporter.write_line(f"safejury: {number} skipped, because {_NOT_ASKED}")


def _setting(config: pytest.Config, name: str) -> str:
    return str(config.getoption(f"safejury_{name}") or config.getini(f"safejury_{name}"))


def _jury_file(config: pytest.Config) -> Path:
    typed = config.getoption("safejury_jury")
    if typed:
        return config.invocation_params.dir / str(typed)
    said = str(config.getini("safejury_jury"))
    if not said:
        pytest.fail(
            "safejury: no jury is named: give --safejury-jury FILE, or safejury_jury in the ini "
            "file of pytest",
            pytrace=False,
        )
    return (config.inipath or config.rootpath / "pytest.ini").parent / said


def _no_verdict(judgment: "Judgment") -> str:
    why = f": {judgment.reason}" if judgment.reason else ""
    return f"safejury: no verdict{why} ({judgment})"


def _described(judgment: "Judgment", *, reveal: bool) -> str:
    """Return the verdict and the last ballots, the reasons only where they are revealed."""
    from ..common import escape_line

    lines = [str(judgment)]
    for ballot in judgment.ballots[-1] if judgment.ballots else ():
        said = ballot.finding or ballot.outcome
        rating = "" if ballot.rating is None else f", rating {ballot.rating}"
        reason = f": {ballot.reason}" if reveal and ballot.reason else ""
        lines.append(escape_line(f"  {ballot.juror}: {said}{rating}{reason}"))
    if not reveal:
        lines.append("  (reasons are withheld: --safejury-reveal shows them)")
    return "\n".join(lines)
