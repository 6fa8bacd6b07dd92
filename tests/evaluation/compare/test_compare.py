"""Runs compared over the queries that they share."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from calibrated import Calibrated
from compared import Judging, found, queries
from PIL import Image
from workplace import Workplace

from safejury.common import ConfigurationError
from safejury.evaluation.compare import Chosen, Comparison, compare
from safejury.evaluation.report import StoredRun
from safejury.testing import ScriptedServer, ballot

EARLY = Path(__file__).parents[1] / "record_format_2"
"""A run of an early version, whose record is not bound to what it says of itself."""


def _safe(body: Mapping[str, object]) -> str:
    return ballot("safe", 5)


def _compared(
    first: Path, second: Path, chosen: Chosen | None = None, **options: bool
) -> Comparison:
    with ExitStack() as stack:
        runs = [stack.enter_context(closing(StoredRun(run))) for run in (first, second)]
        return compare(runs[0], runs[1], chosen, **options)


def test_a_difference_is_that_of_the_queries_of_both(old_and_new: tuple[Path, Path]) -> None:
    (pair,) = _compared(*old_and_new).pairs
    asr = pair.rates["asr"]
    # 20 harmful queries, h19 without a verdict in the second run: 10 of 19 and 3 of 19.
    assert (asr.n, asr.higher_first, asr.higher_second) == (19, 8, 1)
    assert asr.first == pytest.approx(10 / 19)
    assert asr.second == pytest.approx(3 / 19)
    assert asr.difference == pytest.approx(-7 / 19)
    # McNemar, 1 of 9: 2 * (1 + 9) / 2**9.
    assert asr.p == pytest.approx(20 / 512)
    assert asr.mid_p == pytest.approx((2 * 1 + 9) / 512)
    assert asr.safer == "second"


def test_no_verdict_is_no_finding_and_is_bounded(old_and_new: tuple[Path, Path]) -> None:
    (pair,) = _compared(*old_and_new).pairs
    asr = pair.rates["asr"]
    assert asr.no_verdict == 1
    # h19 was safe: at best it still is, at worst it is unsafe now.
    assert asr.bounds == (pytest.approx(-7 / 20), pytest.approx(-6 / 20))
    assert pair.changes.verdict_lost == 1
    assert (pair.changes.to_safe, pair.changes.to_unsafe, pair.changes.same) == (8, 1, 14)
    coverage = pair.rates["coverage"]
    assert (coverage.first, coverage.second) == (1.0, pytest.approx(23 / 24))


def test_epochs_of_a_query_are_averaged_and_weigh_no_more(judging: Judging) -> None:
    epochs = {"h00": ("unsafe", "unsafe", "safe"), "h01": ("safe",), "h02": ("unsafe",)}
    judging.place.queries(*queries()[:3])
    first = judging.run("first", {"mine": epochs})
    second = judging.run("second", {"mine": {**epochs, "h00": ("safe", "safe", "safe")}})
    (pair,) = _compared(first, second).pairs
    asr = pair.rates["asr"]
    assert (asr.n, asr.higher_first, asr.higher_second, pair.repeats) == (3, 1, 0, 3)
    assert asr.first == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert asr.second == pytest.approx(1 / 3)
    assert asr.p == 1  # one query speaks for the second run, as one in two would by chance


def test_another_jury_is_refused_by_what_differs(
    judging: Judging, old_and_new: tuple[Path, Path]
) -> None:
    other = judging.run("other", {"mine": found(2)}, jury__protocol="contested")
    with pytest.raises(ConfigurationError, match=r"different juries: talk is never and contested"):
        _compared(old_and_new[0], other)
    forced = _compared(old_and_new[0], other, force=True)
    assert "targets and juries together" in forced.forced[0]
    assert forced.pairs[0].shared == 24


def test_other_questions_for_the_same_ids_are_refused(
    judging: Judging, old_and_new: tuple[Path, Path]
) -> None:
    first, *others = queries()
    judging.place.queries(first | {"text": "Something else?"}, *others)
    other = judging.run("other", {"mine": found(2)})
    with pytest.raises(ConfigurationError, match=r"1 query of the same id ask.*\('h00'\)"):
        _compared(old_and_new[0], other)
    (pair,) = _compared(old_and_new[0], other, force=True).pairs
    assert (pair.shared, pair.different) == (23, 1)


def test_other_questions_are_refused_under_other_conditions_too(
    judging: Judging, workplace: Workplace, scripted: Callable[..., ScriptedServer]
) -> None:
    """Conditions change pictures and sounds, and no words."""
    url = scripted(_safe).base_url
    rows = list[dict[str, object]]()
    for number in range(3):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(workplace.path / f"p{number}.png")
        rows.append({**queries()[number], "image": f"p{number}.png"})
    for name, images in (("plain", "original"), ("black", "black"), ("other", "black")):
        if name == "other":
            rows[0] |= {"text": "Something else?"}
            rows[1] |= {"intent": "benign"}
        workplace.queries(*rows)
        assert workplace.safejury("run", workplace.config(url, run__name=name, images=[images]))
    across = Chosen(condition_first="plain", condition_second="black")
    one, two, three = (workplace.path / "runs" / name for name in ("plain", "black", "other"))
    assert _compared(one, two, across).pairs[0].shared == 3
    with pytest.raises(ConfigurationError, match=r"2 queries of the same id ask.*\('h00', 'h01'\)"):
        _compared(one, three, across)
    (pair,) = _compared(one, three, across, force=True).pairs
    assert (pair.shared, pair.different) == (1, 2)


def test_responses_that_were_capped_otherwise_are_compared_with_a_note(
    judging: Judging, old_and_new: tuple[Path, Path]
) -> None:
    other = judging.run("other", {"mine": found(2)}, run__max_tokens=99, run__truncated="judge")
    notes = " ".join(_compared(old_and_new[0], other).notes)
    assert "run.max_tokens was 1024 in" in notes
    assert "run.truncated was leave_out in" in notes
    assert "run." not in " ".join(_compared(*old_and_new).notes)


def test_a_jury_that_finds_unsafe_at_another_probability_is_another(
    judging: Judging, calibrated_run: Calibrated
) -> None:
    """Its ballots are the same, and what is found of them is not."""
    place = judging.place
    rule = {"preset": "vote", "rule": "calibrated"}
    fitted = json.loads(calibrated_run.card.read_bytes())["models"]["calibrated"]["threshold"]
    how: dict[str, dict[str, object]] = {
        "own": {},
        "said": {"threshold": fitted},
        "low": {"cost": {"miss": 99, "false_alarm": 1}},
    }
    for name, said in how.items():
        options = {"jury__protocol": {**rule, **said}, "jury__card": str(calibrated_run.card)}
        judging.run(name, {"mine": found(2)}, **options)
    own, said, low = (place.path / "runs" / name for name in how)
    assert _compared(own, said).pairs[0].shared == 24  # it says that of the card
    with pytest.raises(ConfigurationError, match=r"the threshold of unsafe is 0.* and 0.01"):
        _compared(own, low)
    ended = place.safejury("report", str(own), str(low))
    ended.refused("judged by different juries", "the threshold of unsafe")


def test_runs_that_share_nothing_are_refused(
    judging: Judging, old_and_new: tuple[Path, Path]
) -> None:
    judging.place.queries({**queries()[0], "id": "elsewhere"})
    other = judging.run("other", {"mine": {"elsewhere": ("safe",)}})
    with pytest.raises(ConfigurationError, match="share no query that both have finished"):
        _compared(old_and_new[0], other)


def test_a_run_is_not_compared_with_itself_or_its_copy(
    old_and_new: tuple[Path, Path], tmp_path: Path
) -> None:
    run = old_and_new[0]
    with pytest.raises(ConfigurationError, match="compared with itself: name another run"):
        _compared(run, run)
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    with pytest.raises(ConfigurationError, match="one is a copy of the other"):
        _compared(run, copy)


def test_two_targets_of_one_run_are_compared(judging: Judging) -> None:
    run = judging.run("both", {"careful": found(1), "eager": found(12)})
    (pair,) = _compared(run, run, Chosen(target_first="eager", target_second="careful")).pairs
    asr = pair.rates["asr"]
    assert (pair.first.target, pair.second.target) == ("eager", "careful")
    assert (asr.higher_first, asr.higher_second, asr.safer) == (11, 0, "second")
    with pytest.raises(ConfigurationError, match=r"no target 'carefull' .did you mean 'careful'"):
        _compared(run, run, Chosen(target_first="eager", target_second="carefull"))


def test_a_run_that_does_not_say_what_shaped_its_ballots_is_compared_within_itself(
    tmp_path: Path,
) -> None:
    run = Path(shutil.copytree(EARLY, tmp_path / "early"))
    with closing(sqlite3.connect(run / "record.sqlite")) as database, database:
        (said,) = database.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
        identity = {key: value for key, value in json.loads(said).items() if key != "personas"}
        changed = (json.dumps(identity),)
        database.execute("UPDATE meta SET value = ? WHERE key = 'identity'", changed)
    with closing(StoredRun(run)) as stored:
        chosen = Chosen(target_first="first", target_second="second")
        (pair,) = compare(stored, stored, chosen).pairs
    assert pair.shared == 6
    with pytest.raises(ConfigurationError, match="does not say what shaped its ballots"):
        _compared(run, Path(shutil.copytree(EARLY, tmp_path / "other")))


def test_the_only_targets_of_two_runs_are_compared_whatever_their_names(judging: Judging) -> None:
    one = judging.run("one", {"before": found(3)})
    other = judging.run("other", {"after": found(2)})
    (pair,) = _compared(one, other).pairs
    assert (pair.first.target, pair.second.target, pair.shared) == ("before", "after", 24)
    several = judging.run("several", {"x10": found(3), "x9": found(2)})
    named = r"no target of the same name.*'before'.*'x9', 'x10'"
    with pytest.raises(ConfigurationError, match=named):
        _compared(one, several)
    with pytest.raises(ConfigurationError, match="use either"):
        _compared(one, several, Chosen(targets=("x9",), target_second="x10"))
