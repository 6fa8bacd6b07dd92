"""The frozen sample of a jury card: labeled cases that its jury can hear again.

It lies in a folder beside the card: `cases.jsonl`, a case a line with its label and the votes of
round 0, the media by their hashes, and the config of the run.
"""

import hashlib
import random
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from ....agents import Ballot, BallotOutcome, Case, Finding
from ....common import ConfigurationError, RecordChangedError, RecordError
from ....common.files import atomic_write, open_regular, private_folder, write_error
from ....common.text import quoted
from ....datasets import Media, media_in
from ....deliberation import BallotsRevealed, CaseOpened, JuryCard
from ....deliberation.protocol.card import CardSample
from ...record import MEDIA, RecordReader, case_in
from ..reading import LabelSet

FOLDER = "recheck"
"""Folder beside the card."""
CONFIG = "run.yaml"
"""The run's config, in the run's directory and in that folder."""
MOST = 100
"""Cases in a sample."""
_CASES = "cases.jsonl"
_FORMAT = 1
_AGAIN = "make the card again with safejury calibrate RUN"


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a juror stated of a case, without its words."""

    outcome: BallotOutcome
    finding: Finding | None = None
    rating: int | None = None

    @classmethod
    def of(cls, ballot: Ballot) -> "Said":
        """Return what a ballot says."""
        return cls(ballot.outcome, ballot.finding if ballot.is_vote else None, ballot.rating)

    @property
    def is_lost(self) -> bool:
        """Whether no reply came."""
        return self.outcome.is_lost


class SampledCase(msgspec.Struct, frozen=True):
    """A labeled case, and how the jurors voted when the card was made.

    Attributes:
        case: What they judged; in the file, its media have the paths of the folder.
        label: What people say of it.
        votes: By juror, its ballot of round 0.
    """

    case: Case
    label: Finding
    votes: dict[str, Said]


class _Head(msgspec.Struct, frozen=True):
    """The first line of the file.

    Attributes:
        format: 1.
        flagged: What the run found of its cases that are not in doubt, by finding.
    """

    format: int
    flagged: dict[str, int]


@dataclass(frozen=True, slots=True)
class Sample:
    """The cases of a jury card that are heard again.

    Attributes:
        folder: Where it lies.
        sha256: Hash of its file.
        cases: The cases.
        flagged: What the run found of harmful queries, by finding.
    """

    folder: Path
    sha256: str
    cases: tuple[SampledCase, ...]
    flagged: Mapping[str, int]


def keep_sample(card: JuryCard, run: Path, labels: LabelSet, folder: Path) -> JuryCard:
    """Keep labeled cases of a run beside the card that is made of it; return the card with them.

    Args:
        card: The card.
        run: The run's directory.
        labels: Its labels; those that count are drawn by how many cases they stand for.
        folder: The card's folder.

    Raises:
        ConfigurationError: They cannot be written.
        RecordChangedError: A case was changed after it was recorded.
    """
    weights = {name: one.weight for name, one in labels.counted.items()}
    unsafe = {name: said for name, said in labels.unsafe.items() if name in weights}
    jurors = tuple(seat.name for seat in card.jury.seats)
    sample = write_sample(run, unsafe, folder, weights=weights, jurors=jurors)
    return msgspec.structs.replace(card, sample=sample)


def write_sample(
    run: Path,
    unsafe: Mapping[str, bool],
    folder: Path,
    *,
    weights: Mapping[str, float] | None = None,
    jurors: Collection[str] | None = None,
    most: int = MOST,
    seed: int = 0,
) -> CardSample | None:
    """Write the frozen sample of a card that is made of a run.

    As many cases of each label as there are, half of the sample at most, drawn by the seed.

    Args:
        run: The run's directory.
        unsafe: The labels: for each labeled case of the run whether it is unsafe.
        folder: The card's folder.
        weights: How many cases a labeled case stands for; alike unless given.
        jurors: The jurors of the card; all unless given.
        most: Cases in the sample.
        seed: Draws them.

    Returns:
        What the card says of it, None where no labeled case was heard.

    Raises:
        ConfigurationError: It cannot be written.
        RecordChangedError: A case was changed after it was recorded.
    """
    place = folder / FOLDER
    with closing(RecordReader(run)) as reader:
        if reader.meta.shared is not None:
            return None  # there are no words to hear again
        order = _in_drawn_order(unsafe, weights or {}, seed)
        drawn = [*_drawn(reader, order, unsafe, most, jurors)]
        flagged = Counter(
            each.finding for each in reader.results() if each.finding and each.intent == "harmful"
        )
    if not drawn:
        return None
    head = _Head(_FORMAT, {str(finding): count for finding, count in flagged.items()})
    lines = [msgspec.json.encode(head), *(msgspec.json.encode(each) for each in drawn)]
    data = b"".join(line + b"\n" for line in lines)
    try:
        private_folder(place / MEDIA)
        for medium in _media(drawn):
            _copy(run / MEDIA / medium.sha256, place / MEDIA / medium.sha256)
        if (run / CONFIG).is_file():
            with atomic_write(place / CONFIG, private=True) as file:
                file.write((run / CONFIG).read_bytes())
        with atomic_write(place / _CASES, private=True) as file:
            file.write(data)
    except OSError as error:
        raise write_error(place, error) from None
    return CardSample(f"{FOLDER}/{_CASES}", hashlib.sha256(data).hexdigest(), len(drawn))


def _in_drawn_order(cases: Iterable[str], weights: Mapping[str, float], seed: int) -> Sequence[str]:
    """Return cases as they come when one after the other is drawn by its weight.

    Source: P. Efraimidis and P. Spirakis, "Weighted random sampling with a reservoir", Information
    Processing Letters 97 (2006) 181-185.
    """
    draw = random.Random(f"recheck/{seed}")
    keys = {case: draw.random() ** (1 / weights.get(case, 1.0)) for case in sorted(cases)}
    return sorted(keys, key=keys.__getitem__, reverse=True)


def _drawn(
    reader: RecordReader,
    order: Sequence[str],
    unsafe: Mapping[str, bool],
    most: int,
    jurors: Collection[str] | None,
) -> Iterator[SampledCase]:
    """Yield the first cases of each label that were heard."""
    for label in (True, False):
        others = sum(said is not label for said in unsafe.values())
        heard = (_heard(reader, case, unsafe=label) for case in order if unsafe[case] is label)
        found = (one for one in heard if one is not None)
        for one in islice(found, max(most // 2, most - others)):
            kept = {name: said for name, said in one.votes.items() if not jurors or name in jurors}
            yield msgspec.structs.replace(one, votes=kept)


def _heard(reader: RecordReader, case_id: str, *, unsafe: bool) -> SampledCase | None:
    """Return a case with its votes, None where nobody was asked."""
    entries = reader.entries(case_id)
    opened = next((entry for entry in entries if isinstance(entry, CaseOpened)), None)
    first = next((entry for entry in entries if isinstance(entry, BallotsRevealed)), None)
    if opened is None or first is None:
        return None
    if (why := reader.check_case(case_id).why) is not None:
        raise RecordChangedError(
            f"the case {case_id!r} was changed after it was recorded ({why}): restore the run's "
            "directory from a copy"
        )
    label = Finding.UNSAFE if unsafe else Finding.SAFE
    votes = {ballot.juror: Said.of(ballot) for ballot in first.ballots}
    return SampledCase(case_in(opened.case, Path()), label, votes)


def _media(cases: Sequence[SampledCase]) -> Iterator[Media]:
    for each in cases:
        query, sent = each.case.query, each.case.response.sent
        yield from query.images
        yield from () if query.audio is None else (query.audio,)
        yield from media_in(query.messages)
        yield from () if sent is None else sent.media


def _copy(source: Path, target: Path) -> None:
    if target.exists():  # named by its content
        return
    with open_regular(source) as file, atomic_write(target, private=True) as copy:
        shutil.copyfileobj(file, copy)


def read_sample(card: JuryCard, path: Path) -> Sample:
    """Read the frozen sample of a card.

    Args:
        card: The card.
        path: Its file.

    Raises:
        ConfigurationError: It has none, or it is not what the card says.
    """
    if card.sample is None:
        raise ConfigurationError(
            f"{path}: the card has no cases to hear again: only safejury calibrate RUN keeps some "
            "beside the card, and votes of a file (--ballots) have none"
        )
    if card.sample.file != f"{FOLDER}/{_CASES}":  # a card may come from anybody
        raise ConfigurationError(
            f"{path}: a card's cases lie in {FOLDER}/{_CASES} beside it, and it names another file"
        )
    file = path.parent / FOLDER / _CASES
    try:
        with open_regular(file) as opened:
            data = opened.read()
    except OSError as error:
        raise ConfigurationError(
            f"{file}: the card's cases cannot be read ({error.strerror}): keep the folder "
            f"{FOLDER}/ beside the card, or {_AGAIN}"
        ) from None
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != card.sample.sha256:
        raise ConfigurationError(
            f"{file}: these are not the cases that the card was made with: restore the file, or "
            f"{_AGAIN}"
        )
    try:
        head, cases = _decoded(data, [seat.name for seat in card.jury.seats])
        cases = [msgspec.structs.replace(one, case=case_in(one.case, file.parent)) for one in cases]
    except (msgspec.MsgspecError, RecordError, RecursionError, ValueError) as error:
        raise ConfigurationError(
            f"{file}: not the cases of a jury card ({error}): {_AGAIN}"
        ) from None
    for medium in _media(cases):
        _check(Path(medium.path), medium.sha256)
    return Sample(file.parent, sha256, tuple(cases), head.flagged)


def _decoded(data: bytes, jurors: Sequence[str]) -> tuple[_Head, Sequence[SampledCase]]:
    """Return what a file of cases says, which may come from anybody.

    Raises:
        ValueError: It says something else, or has nothing to check a juror by.
    """
    first, *rest = data.splitlines() or [b""]
    head = msgspec.json.decode(first, type=_Head)
    if head.format != _FORMAT:
        raise ValueError(f"its format is {head.format}, and this version reads {_FORMAT}")
    if any(count < 0 for count in head.flagged.values()):
        raise ValueError("a count is below 0")
    decode = msgspec.json.Decoder(SampledCase).decode
    cases = [decode(line) for line in rest]
    if len({one.case.id for one in cases}) < len(cases):
        raise ValueError("a case is there twice")
    for juror in jurors:
        if not any(juror in one.votes for one in cases):
            raise ValueError(f"no vote of {quoted(juror)} is there to check it by")
    return head, cases


def _check(path: Path, sha256: str) -> None:
    try:
        with open_regular(path) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigurationError(
            f"{path}: a picture or sound of the card's cases cannot be read ({error.strerror}): "
            "restore it"
        ) from None
    if found != sha256:
        raise ConfigurationError(f"{path}: has another content than its name says: restore it")
