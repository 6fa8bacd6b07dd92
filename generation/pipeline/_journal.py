"""Journals every call of a set, so that no call is paid for twice."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from ...common import RecordError
from ...common.files import make_private
from ...models import Charge, Completion, Ledger, Usage
from ...models.middleware import CompletionFile

CALLS = "calls.sqlite"
ESTIMATED = "charged by estimate"
"""What `costs_by_model` calls the calls that no credible usage came back of."""


@dataclass(slots=True)
class CallCosts:
    """Tokens and cost of a number of calls.

    Attributes:
        calls: How many.
        prompt_tokens: Of the calls that reported usage.
        completion_tokens: Of the calls that reported usage.
        usd: US dollars of the calls with a known price.
        unknown_prices: Calls without one.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    unknown_prices: int = 0

    def add(self, completion: Completion) -> None:
        """Add a call."""
        self.calls += 1
        self.prompt_tokens += completion.usage.prompt_tokens or 0
        self.completion_tokens += completion.usage.completion_tokens or 0
        self.usd += completion.cost_usd or 0.0
        self.unknown_prices += completion.cost_usd is None


class CallJournal(Ledger):
    """The journal of calls in a set's folder; see `models.Journal`.

    It is the set's `models.Ledger`, too: what calls were charged by estimate is kept, and
    what those hold that are under way, so that a process that was killed leaves it charged.

    What cannot be read or written is an error, or calls would be paid for twice.

    Args:
        folder: The set's folder.

    Raises:
        RecordError: The file cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / CALLS
        with self._readable():
            make_private(self._path)  # SQLite gives what it puts beside it the same mode
            self._kept = CompletionFile(self._path)
        self._held: dict[int, str] = {}
        self._holds = 0
        self._ended: list[str] = []

    def find(self, call_id: str, key: str) -> Completion | None:
        """Return the journaled completion of a call, None unless both id and key match.

        Raises:
            RecordError: The file cannot be read.
        """
        with self._readable(), suppress(ValueError):
            return self._kept.get(_key(call_id, key))
        return None

    def write(self, call_id: str, key: str, completion: Completion) -> None:
        """Journal the completion of a call.

        Raises:
            RecordError: The file cannot be written.
        """
        self._put(_key(call_id, key), completion)

    def hold(self, call_id: str, held: Charge, share: float) -> int:
        """Journal what a call in progress reserves; see `models.Ledger`.

        Raises:
            RecordError: The file cannot be written.
        """
        key = _key(call_id, uuid4().hex)
        self._put(key, _estimated(held))
        self._holds += 1
        self._held[self._holds] = key
        return self._holds

    def let_go(self, number: int) -> None:
        """Remove what `hold` journaled, together with the next write."""
        if not self._ended:
            asyncio.get_running_loop().call_soon(self._flush)
        self._ended.append(self._held.pop(number))

    def charge(self, call_id: str, guessed: Charge) -> None:
        """Journal the estimated cost of a call; see `models.Ledger`.

        Raises:
            RecordError: The file cannot be written.
        """
        self._put(_key(call_id, uuid4().hex), _estimated(guessed))

    def charge_time(self, life: str, server: str, usd: float) -> None:
        """Journal the cost of a managed server so far, replacing the earlier amount.

        Args:
            life: Tells this start of the server from others.
            server: Its name.
            usd: US dollars.

        Raises:
            RecordError: The file cannot be written.
        """
        self._put(_key("server", life), _paid(f"the time of server {server}", usd))

    def charge_service(self, service: str, usd: float | None) -> None:
        """Journal the cost of a call to an image or speech service.

        Args:
            service: What `costs_by_model` calls it.
            usd: US dollars, None where the price is unknown.

        Raises:
            RecordError: The file cannot be written.
        """
        self._put(_key("service", uuid4().hex), _paid(service, usd))

    def total_cost(self) -> tuple[int, float, int]:
        """Return the total of all calls: tokens, US dollars, calls without a known price.

        Raises:
            RecordError: The file cannot be read.
        """
        spent = CallCosts()
        with self._readable():
            for completion in self._kept.completions():
                spent.add(completion)
        return spent.prompt_tokens + spent.completion_tokens, spent.usd, spent.unknown_prices

    def costs_by_model(self) -> dict[str, CallCosts]:
        """Return the cost of all calls, by the name that the provider gives the model.

        Calls whose provider names none are under an empty name.

        Raises:
            RecordError: The file cannot be read.
        """
        spent: dict[str, CallCosts] = {}
        with self._readable():
            for completion in self._kept.completions():
                spent.setdefault(completion.provider_model or "", CallCosts()).add(completion)
        return dict(sorted(spent.items()))

    def close(self) -> None:
        """Close the file."""
        self._flush()
        self._kept.close()

    def _flush(self) -> None:
        ended, self._ended = self._ended, []
        with suppress(sqlite3.Error):  # else it stays charged, which is rather too much
            self._kept.drop(ended)

    def _put(self, key: str, completion: Completion) -> None:
        ended, self._ended = self._ended, []
        try:
            self._kept.put(key, completion, without=ended)
        except sqlite3.Error as error:
            raise RecordError(
                f"{self._path}: a call cannot be saved ({error}). Earlier calls are safe: free "
                "some space or fix the permissions, then repeat the command."
            ) from error

    @contextmanager
    def _readable(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise RecordError(
                f"{self._path}: calls cannot be read ({error}): restore the file from a backup, "
                "choose another set.name, or delete it and pay for its calls again."
            ) from error


def _estimated(spending: Charge) -> Completion:
    usage = Usage(prompt_tokens=spending.tokens, completion_tokens=0)
    return replace(_paid(ESTIMATED, spending.usd), usage=usage)


def _paid(what: str, usd: float | None) -> Completion:
    return Completion("", "stop", provider_model=what, cost_usd=usd)


def _key(call_id: str, key: str) -> str:
    return hashlib.sha256(f"{call_id}\0{key}".encode()).hexdigest()
