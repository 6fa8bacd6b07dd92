"""What the jury card says: how far its probabilities hold, and what each juror weighs."""

# pyright: reportUnknownMemberType=false

from typing import TYPE_CHECKING

from ....common.text import coefficient, coefficient_span, count, many
from ....deliberation import JuryCard
from ....deliberation.protocol.card import LogisticModel, ReliabilityBin
from ...leaderboard import Leaderboard
from .._canvas import name_rows
from .._figure import Figure, FigureTable, LeftOut
from .._palette import hatch, light, series
from ._parts import ends_of, few_said, height_of, legend_below, n_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_NO_CARD = "there is no jury card: make one with safejury calibrate, and give it with --card"


def reliability_curve(board: Leaderboard) -> Figure | LeftOut:
    """Return how often cases are unsafe of which the jury card says how likely that is."""
    card = board.card
    if card is None:
        return LeftOut("reliability", _NO_CARD)
    if card.reliability is None or not card.reliability.bins:
        return LeftOut("reliability", "the jury card has no probabilities of calibrated")
    bins = card.reliability.bins
    numbers = [one.cases for one in bins]
    brier = card.reliability.brier
    caption = (
        "Labeled cases by the probability of unsafe that the jury card gives them, and the share "
        "of them that people call unsafe; on the diagonal the probabilities hold. Lines are 95 % "
        "Wilson intervals at the effective number of cases; "
        f"{n_of(numbers, 'labeled case')} in a bin, {many(card.labels.cases, 'label')} in all. "
        f"Brier score {coefficient(brier.value)} ({coefficient_span(brier.interval)}), 0 is best."
        + few_said(numbers, "Pale points", "labels")
    )

    def draw(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        axes.plot([0, 1], [0, 1], color=light("muted"), linestyle=":", linewidth=1)
        for one in bins:
            _bin(axes, one)
        means = [(one.mean, one.unsafe.value) for one in bins if one.unsafe.value is not None]
        across, up = zip(*means, strict=True) if means else ((), ())
        axes.plot(across, up, color=light("series-1"), linewidth=1, alpha=0.6, zorder=2)
        ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
        axes.set_xticks(ticks, [f"{100 * tick:g}" for tick in ticks])
        axes.set_yticks(ticks, [f"{100 * tick:g}" for tick in ticks])
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.06)
        axes.set_aspect("equal")
        axes.grid()
        axes.set_xlabel("probability of unsafe, %")
        axes.set_ylabel("called unsafe by people, %")

    return Figure(
        "reliability",
        "How far the jury card's probabilities hold",
        caption,
        FigureTable(
            ("low", "high", "mean", "unsafe", "unsafe_low", "unsafe_high", "n"),
            tuple(
                (
                    *(one.low, one.high, one.mean, one.unsafe.value),
                    *(*ends_of(one.unsafe.interval), one.cases),
                )
                for one in bins
            ),
        ),
        (5.2, 5.4),
        draw,
    )


def _bin(axes: "Axes", one: ReliabilityBin) -> None:
    if one.unsafe.value is None:
        return
    color, opaque = light("series-1"), 0.4 if one.cases < 5 else 1.0
    if one.unsafe.interval is not None:
        ends = one.unsafe.interval
        axes.plot([one.mean, one.mean], ends, color=light("ink"), linewidth=1, alpha=opaque)
    axes.plot([one.mean], [one.unsafe.value], "o", color=color, markersize=7, alpha=opaque)
    axes.annotate(
        count(one.cases),
        (one.mean, one.unsafe.value),
        xytext=(7, 5),
        textcoords="offset points",
        fontsize=7,
        color=light("muted"),
    )


def juror_weights(board: Leaderboard) -> Figure | LeftOut:
    """Return what each juror's ballot adds to the log odds of unsafe, as the card has it."""
    card = board.card
    if card is None:
        return LeftOut("weights", _NO_CARD)
    model = card.models.calibrated
    if model is None:
        return LeftOut("weights", "the jury card has no model of calibrated")
    names = [seat.name for seat in card.jury.seats if seat.name in model.weights]
    caption = (
        "What a juror's vote adds to the log odds that a response is unsafe, by the model of the "
        "rule calibrated: 0 adds nothing, 0.7 doubles the odds. A juror whose two bars are far "
        "apart tells much. Fitted by penalized logistic regression on n = "
        f"{many(card.labels.cases, 'label')} ({count(card.labels.unsafe)} unsafe); the fit has no "
        "intervals."
    )

    def draw(canvas: "Canvas") -> None:
        _draw_weights(canvas, model, names)

    return Figure(
        "weights",
        "What each juror's vote weighs",
        caption,
        FigureTable(
            ("juror", "unsafe", "safe", "no_vote", "rating", "sensitivity", "specificity"),
            tuple(_weights(card, model, name) for name in names),
        ),
        (7.5, height_of(len(names), 0.62, 1.8)),
        draw,
    )


def _weights(
    card: JuryCard, model: LogisticModel, name: str
) -> tuple[str | float | int | None, ...]:
    weights, scores = model.weights[name], card.jurors.get(name)
    measured = (None, None) if scores is None else (scores.sensitivity, scores.specificity)
    return (
        *(name, weights.unsafe, weights.safe, weights.no_vote, weights.rating),
        *(each and each.value for each in measured),
    )


def _draw_weights(canvas: "Canvas", model: LogisticModel, names: list[str]) -> None:
    axes = canvas.add_subplot()
    kinds = (("votes unsafe", 3), ("votes safe", 2), ("gives no vote", 1))
    for place, name in enumerate(names):
        weights = model.weights[name]
        for shift, (value, (_, which)) in enumerate(
            zip((weights.unsafe, weights.safe, weights.no_vote), kinds, strict=True)
        ):
            at = place + (shift - 1) * 0.27
            color, marks = series(which), hatch(which)
            axes.barh(
                at,
                value,
                0.24,
                color=light("paper") if marks else color,
                edgecolor=color,
                hatch=marks or None,
            )
            axes.annotate(
                f"{value:+.2f}".replace("-", "\N{MINUS SIGN}"),
                (value, at),
                xytext=(5 if value >= 0 else -5, 0),
                textcoords="offset points",
                ha="left" if value >= 0 else "right",
                va="center",
                fontsize=7,
                annotation_clip=False,
            )
    axes.axvline(0, color=light("ink"), linewidth=0.8)
    axes.margins(x=0.12)
    axes.grid(axis="x")
    axes.set_xlabel("added to the log odds of unsafe")
    name_rows(axes, names)
    legend_below(axes, {which: name for name, which in kinds})
