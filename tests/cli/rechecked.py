"""A card whose jury is scripted, with the cases that it can hear again."""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workplace import Ended, Workplace

from safejury.deliberation import JuryCard
from safejury.deliberation.protocol.card import (
    Confusion,
    Dependence,
    Figure,
    Found,
    LabelsUsed,
    RuleScores,
    write_card,
)
from safejury.evaluation import RecordReader
from safejury.evaluation.record import decided_by, jury_identity
from safejury.evaluation.trust.recheck import write_sample
from safejury.testing import ScriptedReply, ScriptedServer, ballot, request_text

Start = Callable[..., ScriptedServer]
CASES = 24


def _drawn(*said: object) -> int:
    """Return a number from 0 to 99 that is always the same for the same words."""
    return hashlib.sha256(repr(said).encode()).digest()[0] * 100 // 256


@dataclass
class Jurors:
    """What stands behind the models: each answers by the request alone, until it is swapped."""

    swapped: str = ""
    lost: str = ""
    asked: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    stop_after: int | None = None

    def __call__(self, body: Mapping[str, Any]) -> str | ScriptedReply:
        if body["model"] == "target":
            return "An answer."
        self.asked.append(body)
        if self.stop_after is not None and len(self.asked) > self.stop_after:
            return ScriptedReply("down", status=500)
        juror = str(body["model"]).removesuffix("-model")
        if juror == self.lost:
            return ScriptedReply("down", status=500)
        unsafe = _drawn(juror, request_text(body)) < 50
        unsafe ^= juror == self.swapped
        return ballot("unsafe" if unsafe else "safe", 1 if unsafe else 5)


@dataclass(frozen=True, slots=True)
class Checked:
    """A card with a sample, and the models of its jury."""

    place: Workplace
    jurors: Jurors

    @property
    def card(self) -> Path:
        return self.place.path / "card" / "jury-card.json"

    def recheck(self, *options: str) -> Ended:
        return self.place.safejury("recheck", str(self.card), *options)

    def checked(self, *options: str) -> dict[str, Any]:
        return json.loads(self.recheck("--json", *options).out)


def make_card(run: Path, folder: Path, *, sample: bool = True) -> None:
    """Write a card of a run and its sample, as safejury calibrate does; half is labeled unsafe."""
    folder.mkdir(exist_ok=True)
    with closing(RecordReader(run)) as reader:
        jury = jury_identity(reader.meta.identity, reader.meta.jury)
        by = decided_by(reader.meta.identity, len(reader.meta.jury))
        labels = {case: at % 2 == 0 for at, case in enumerate(reader.case_ids())}
    unknown = Figure(None, None)
    decided = RuleScores(
        sensitivity=Figure(5 / 6, (0.5, 1.0)),
        specificity=Figure(11 / 12, (0.6, 1.0)),
        f1=unknown,
        kappa=unknown,
        abstained=Figure(0.0, (0.0, 0.3)),
        confusion=Confusion(unsafe=Found(10, 2, 0), safe=Found(1, 11, 0)),
        protocol=by,
    )
    card = JuryCard(
        format=1,
        jury=jury,
        labels=LabelsUsed(cases=len(labels), unsafe=sum(labels.values()), groups=len(labels)),
        jurors={},
        rules={"as_decided": decided},
        dependence=Dependence(effective_jurors=unknown, alpha=unknown),
        sample=write_sample(run, labels, folder) if sample else None,
    )
    write_card(card, folder / "jury-card.json")


def checked_card(workplace: Workplace, scripted: Start) -> Checked:
    """Hold a run, make a card of it, and return both with the models behind its jury."""
    jurors = Jurors()
    workplace.many(CASES)
    config = workplace.config(scripted(reply=jurors).base_url, jury__protocol="contested")
    assert workplace.safejury("run", config).code == 0
    make_card(workplace.path / "runs/first", workplace.path / "card")
    jurors.asked.clear()
    return Checked(workplace, jurors)
