"""Remembers each call that was made for a set, so that a repeated command pays for none twice."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from ...models import Completion, ResponseCache

CALLS = "calls.sqlite"


@dataclass(slots=True)
class Spent:
    """What calls cost.

    Attributes:
        calls: How many.
        prompt_tokens: Of those calls that told.
        completion_tokens: Of those calls that told.
        usd: US dollars of the calls with a known price.
        unknown_prices: Calls without one.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    unknown_prices: int = 0

    def add(self, completion: Completion) -> None:
        """Count a call."""
        self.calls += 1
        self.prompt_tokens += completion.usage.prompt_tokens or 0
        self.completion_tokens += completion.usage.completion_tokens or 0
        self.usd += completion.cost_usd or 0.0
        self.unknown_prices += completion.cost_usd is None


class CallJournal:
    """A journal of calls in a set's folder; see `models.Journal`.

    Args:
        folder: The set's folder.

    Raises:
        RecordError: The file cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / CALLS
        self._kept = ResponseCache(path)
        path.chmod(0o600)

    def find(self, call_id: str, key: str) -> Completion | None:
        """Return what the call returned before, None unless both id and key match."""
        return self._kept.get(_key(call_id, key))

    def write(self, call_id: str, key: str, completion: Completion) -> None:
        """Keep what a call returned."""
        self._kept.put(_key(call_id, key), completion)

    def charge(self, service: str, usd: float | None) -> None:
        """Keep what a service cost that draws or speaks.

        Args:
            service: What `spent_by_model` calls it.
            usd: US dollars, None where the price is unknown.
        """
        paid = Completion("", "stop", provider_model=service, cost_usd=usd)
        self._kept.put(_key("service", uuid4().hex), paid)

    def spent(self) -> tuple[int, float, int]:
        """Return what the kept calls cost: tokens, US dollars, calls without a known price."""
        spent = Spent()
        for completion in self._kept.completions():
            spent.add(completion)
        return spent.prompt_tokens + spent.completion_tokens, spent.usd, spent.unknown_prices

    def spent_by_model(self) -> dict[str, Spent]:
        """Return what the kept calls cost, by the name that the provider gives the model.

        Calls whose provider names none are under an empty name.
        """
        spent: dict[str, Spent] = {}
        for completion in self._kept.completions():
            spent.setdefault(completion.provider_model or "", Spent()).add(completion)
        return dict(sorted(spent.items()))

    def close(self) -> None:
        """Close the file."""
        self._kept.close()


def _key(call_id: str, key: str) -> str:
    return hashlib.sha256(f"{call_id}\0{key}".encode()).hexdigest()
