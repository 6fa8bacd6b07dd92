"""What a screen and a page claim of a jury card, and how they write it."""

import io

import msgspec
import pytest
from rich.console import Console

from safejury.common.text import MISSING, coefficient_span, difference, difference_span
from safejury.deliberation.protocol.card import (
    CardJury,
    CardSeat,
    DecidedBy,
    Dependence,
    Figure,
    JuryCard,
    LabelsUsed,
    Models,
    RuleScores,
    Scores,
    SequentialScores,
)
from safejury.evaluation.report import card_markdown, is_too_weak, write_card_table

MINUS = "\N{MINUS SIGN}"


def _scores(sensitivity: float = 0.7, specificity: float = 0.9) -> Scores:
    figure = Figure(0.6, (0.5, 0.7))
    return Scores(
        sensitivity=Figure(sensitivity, (0.0, 1.0)),
        specificity=Figure(specificity, (0.0, 1.0)),
        f1=figure,
        kappa=figure,
        abstained=Figure(0.0, (0.0, 0.1)),
    )


def _card(gain: Figure | None = None, *, scores: Scores | None = None) -> JuryCard:
    own = scores or _scores()
    rule = RuleScores(
        **msgspec.structs.asdict(own),
        protocol=DecidedBy("calibrated"),
        minus_best_juror={} if gain is None else {"f1": gain},
    )
    names = ("ann", "bo")
    return JuryCard(
        format=1,
        jury=CardJury(sha256="0" * 64, source="ballots", seats=tuple(map(CardSeat, names))),
        labels=LabelsUsed(cases=200, unsafe=60, groups=100),
        jurors=dict.fromkeys(names, own),
        rules={"calibrated": rule},
        dependence=Dependence(
            effective_jurors=Figure(1.96, (1.6, 2.0)), alpha=Figure(0.5, (0.4, 0.6))
        ),
        made="2026-01-02",
    )


def _screen(card: JuryCard, encoding: str = "utf-8", width: int = 100) -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    write_card_table(card, Console(file=file, width=width))
    file.seek(0)
    return file.read()


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (Figure(0.03, (0.01, 0.05)), "better than its best juror (F1 +0.03, +0.01 to +0.05)"),
        (
            Figure(0.03, (-0.01, 0.07)),
            "not shown to beat its best juror (F1 +0.03, -0.01 to +0.07)",
        ),
        (Figure(0.03, (0.0, 0.06)), "not shown to beat its best juror (F1 +0.03, +0.00 to +0.06)"),
        (Figure(-0.02, (-0.04, 0.0)), "not shown to beat its best juror (F1 -0.02, "),
        (Figure(-0.2, (-0.3, -0.1)), "worse than its best juror (F1 -0.20, -0.30 to -0.10)"),
        (Figure(None, None), "not compared with its best juror"),
        (None, "not compared with its best juror"),
    ],
)
def test_a_gain_is_claimed_only_where_its_interval_lies_above_0(
    gain: Figure | None, said: str
) -> None:
    card = _card(gain)
    said = said.replace("-", MINUS)
    line = f"jury: worth 2.0 independent jurors; calibrated is {said}"
    assert line in " ".join(_screen(card).split())
    assert f"- {line}" in card_markdown(card)
    for claim in ("better", "worse"):
        assert (f"is {claim} than" in card_markdown(card)) == said.startswith(claim)


def test_figures_too_weak_to_correct_a_rate_are_told() -> None:
    weak, enough = _scores(0.2, 0.9), _scores(0.21, 0.9)
    assert is_too_weak(weak)
    assert not is_too_weak(enough)
    said = " ".join(_screen(_card(scores=weak)).split())
    assert "Sensitivity + specificity is at most 1.1 for calibrated, ann, bo: a rate" in said
    assert "Warnings" not in _screen(_card(scores=enough))


def test_what_stopping_early_saves_is_told() -> None:
    saved = SequentialScores(
        bound=0.002,
        rule="calibrated",
        calls=Figure(0.4, (0.3, 0.5)),
        changed=Figure(0.001, (0.0, 0.002)),
        f1=Figure(0.6, (0.5, 0.7)),
    )
    card = msgspec.structs.replace(_card(), sequential=saved)
    said = "stop: sequential, bound 0.002: asks 0.8 of 2 jurors a case, changes 0.1 % of findings"
    assert said in _screen(card)
    assert said in card_markdown(card)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_gain_stands_beside_its_interval_on_any_screen(width: int) -> None:
    screen = _screen(_card(Figure(0.03, (-0.01, 0.07))), width=width)
    assert max(map(len, screen.splitlines())) <= width
    (row,) = (line for line in screen.splitlines() if line.startswith("calibrated  "))
    assert row.split()[1:5] == ["+0.03", f"{MINUS}0.01", "to", "+0.07"]


def test_names_are_escaped_on_screen_and_page() -> None:
    evil = "\x1b[31mred|<b>\nnext"
    card = msgspec.structs.replace(
        _card(), jurors={evil: _scores()}, models=Models(best_juror=evil), notes=(evil,)
    )
    screen, page = _screen(card), card_markdown(card)
    for text in (screen, page):
        assert "\x1b" not in text
    assert "\\x1b[31mred|<b> next" in screen
    assert "<b>" not in page
    assert "| \\\\x1b\\[31mred\\|&lt;b&gt; next |" in page


def test_a_console_without_other_characters_gets_none() -> None:
    said = _screen(_card(Figure(-0.2, (-0.3, -0.1))), "ascii")
    assert said.isascii()
    assert "(F1 -0.20, -0.30 to -0.10)" in " ".join(said.split())


def test_differences_keep_their_sign_and_never_look_like_0() -> None:
    shown = {0.034: "+0.03", -0.034: "-0.03", 0.0: "+0.00", -0.0001: "+0.00", None: MISSING}
    shown |= {0.004: "+0.004", -0.0006: "-0.001"}
    for value, said in shown.items():
        assert difference(value) == said.replace("-", MINUS)
    assert difference_span((-0.02, 0.02)) == f"{MINUS}0.02 to +0.02"
    assert coefficient_span((0.5, 0.61)) == "0.50\N{EN DASH}0.61"
    assert coefficient_span((-0.5, -0.001)) == "-0.50 to 0.00"
    assert (coefficient_span(None), difference_span(None)) == (MISSING, MISSING)


def test_labels_the_wrong_way_round_are_noticed() -> None:
    """A rule that is fitted to them would find unsafe what the jurors call safe."""
    asked = "the right way round?"
    turned = msgspec.structs.replace(_scores(), kappa=Figure(-0.6, (-0.8, -0.3)))
    assert asked in " ".join(_screen(_card(scores=turned)).split())
    unsure = msgspec.structs.replace(_scores(), kappa=Figure(-0.1, (-0.3, 0.1)))
    assert asked not in " ".join(_screen(_card(scores=unsure)).split())
