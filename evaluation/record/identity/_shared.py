"""What a shareable run says of the run that it was made of."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from ....common import RecordError
from ....common.text import many
from ....deliberation.protocol.card import CardJury
from .._chain import bound_to

SHARED = "shared"
"""Key in `meta` of the statement."""
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """The statement of a shareable run.

    Attributes:
        sha256: Digest of the run that it was made of, as its owner's `verify` says it.
        seal: Hash of that digest and of what stands for the head of each case. Every copy of the
            run has the same: it depends on nothing else.
        when: When it was made, in UTC, as ISO 8601.
        version: The version of safejury that made it.
        labels: Whether the labels of queries were kept.
        unchained: Cases that an earlier version had recorded without a chain.
        unfinished: Cases that were begun and not finished, and were left out.
    """

    sha256: _Sha256
    seal: _Sha256
    when: str
    version: str
    labels: bool = False
    unchained: int = 0
    unfinished: int = 0

    def words(self) -> str:
        """Return a sentence that says what the run is."""
        labels = "" if self.labels else " and labels"
        counts = (
            (self.unchained, "had no chain there, as of an earlier version"),
            (self.unfinished, "were not finished and are left out"),
        )
        of_cases = "".join(f" {many(n, 'case')} of it {what}." for n, what in counts if n)
        return (
            f"Shareable copy ({self.when[:10]}, version {self.version}) without questions, "
            f"responses, the jurors' words, media{labels}, of the run with SHA-256 {self.sha256}."
            f"{of_cases}"
        )

    def problem(self, heads: Iterable[tuple[str, str]]) -> str | None:
        """Return why the cases are not those of the run it was made of, None if they are.

        Args:
            heads: Its cases in order, each with what stands for the head that it had in that run.
        """
        if bound_to(bytes.fromhex(self.sha256), heads) == self.seal:
            return None
        return "its cases are not those of the run that it says it was made of"


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an identity without its words can no longer say, by which runs are compared.

    Attributes:
        jury: By what a card knows the jury; None where the run did not say it.
        others: Hash of what else decides.
        cases: Hash of what the cases are of.
    """

    jury: CardJury | None = None
    others: str = ""
    cases: str = ""


def kept_in(identity: Mapping[str, Any]) -> Kept | None:
    """Return what the identity of a shareable run keeps; None for that of another."""
    found = identity.get(SHARED)
    return None if found is None else msgspec.convert(found, Kept)


def refuse_shared(directory: object, raw: Mapping[str, str], what: str) -> None:
    """Refuse what needs the words that a shareable run lacks.

    Args:
        directory: The run's directory.
        raw: The rows of its `meta`.
        what: What cannot be done, such as `be resumed`.

    Raises:
        RecordError: It is one.
    """
    if SHARED in raw:
        raise RecordError(
            f"{directory}: is a shareable copy without questions and responses, so it cannot "
            f"{what}: use the run that it was made of"
        )
