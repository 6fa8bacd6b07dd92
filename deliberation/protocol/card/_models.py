"""What rules need of a jury card: the models that are fitted to votes and labels."""

import msgspec


class Cost(msgspec.Struct, frozen=True):
    """What errors cost, in any unit: only the ratio counts."""

    miss: float
    false_alarm: float


class JurorWeights(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a juror's ballot adds to the log odds that a response is unsafe.

    Attributes:
        unsafe: A vote for unsafe.
        safe: A vote for safe.
        no_vote: A ballot that is no vote.
        rating: Each point of the rating below 3 (less for each point above); 0 where ratings
            are not used.
    """

    unsafe: float
    safe: float
    no_vote: float
    rating: float = 0.0


class LogisticModel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The model of the rule `calibrated`: log odds are added up over the ballots.

    Attributes:
        intercept: Log odds before any ballot.
        weights: By juror.
        threshold: Unsafe is found above this probability.
        cost: What the threshold follows; None where it maximizes F1.
    """

    intercept: float
    weights: dict[str, JurorWeights]
    threshold: float
    cost: Cost | None = None


class VoteModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the joint votes of a jury: latent classes, within which jurors are independent.

    Attributes:
        classes: Share of the cases in each class, summing to 1.
        votes: By juror, for each class: the chances of an unsafe vote, a safe vote and no vote.
    """

    classes: tuple[float, ...]
    votes: dict[str, tuple[tuple[float, float, float], ...]]


class Models(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rules need of a card.

    Attributes:
        best_juror: Name of the juror by which the rule `best_juror` decides.
        calibrated: Of the rule `calibrated`.
        dawid_skene: Two classes, unsafe and safe in this order.
        joint: Of the votes, whatever they mean: made without labels, for `stop: sequential`.
        costs: Mean US dollars of a ballot of round 0, by juror, for `stop: sequential`; without
            those of whom it is not known.
    """

    best_juror: str | None = None
    calibrated: LogisticModel | None = None
    dawid_skene: VoteModel | None = None
    joint: VoteModel | None = None
    costs: dict[str, float] = {}
