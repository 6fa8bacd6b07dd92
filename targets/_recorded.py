"""A target that is a file of recorded responses."""

import codecs
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec

from ..datasets import ConfigurationError, Query
from ..datasets._jsonl import MAX_LINE_BYTES
from ._response import Response, ResponseOutcome


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    query_id: Annotated[str, msgspec.Meta(min_length=1)]
    response: str | None
    epoch: Annotated[int, msgspec.Meta(ge=0)] = 0
    outcome: ResponseOutcome | None = None
    model: str | None = None


class RecordedTarget:
    """Answers from a JSONL file with lines `{"query_id", "response"}`.

    A line may also have `epoch` (from 0), `model` (the provider's name for it) and
    `outcome` (`answered`, `filtered`, `truncated` or `error`; default `answered`,
    or `error` where the response is null or empty). Only offsets into the file are
    held in memory.

    Args:
        name: The target's name in the config.
        path: The JSONL file, in UTF-8.

    Raises:
        ConfigurationError: The file or one of its lines cannot be used.
    """

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._path = path
        self._offsets: dict[tuple[str, int], int] = {}
        self._decoder = msgspec.json.Decoder(_Line)
        self._index()

    @property
    def name(self) -> str:
        """The target's name in the config."""
        return self._name

    async def respond(self, query: Query, *, epoch: int, call_id: str) -> Response:
        """Return the recorded response to a query; a missing one is an `error`.

        Raises:
            ConfigurationError: The file is no longer the one that was checked.
        """
        offset = self._offsets.get((query.id, epoch))
        if offset is None:
            return Response(
                ResponseOutcome.ERROR,
                "",
                detail=f"{self._path.name} has no response to {query.id!r} in epoch {epoch}",
                cost_usd=0.0,
            )
        line = self._read(offset, query.id, epoch)
        text = line.response or ""
        outcome = line.outcome or ResponseOutcome.ANSWERED
        if outcome is ResponseOutcome.ANSWERED and not text.strip():
            outcome = ResponseOutcome.ERROR
        return Response(
            outcome,
            text,
            detail=None if outcome is ResponseOutcome.ANSWERED else f"recorded as {outcome}",
            provider_model=line.model,
            cost_usd=0.0,
        )

    async def aclose(self) -> None:
        """Do nothing: no file stays open."""

    def _read(self, offset: int, query_id: str, epoch: int) -> _Line:
        try:
            with self._path.open("rb") as lines:
                lines.seek(offset)
                line = self._decoder.decode(lines.readline(MAX_LINE_BYTES))
            if (line.query_id, line.epoch) == (query_id, epoch):
                return line
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            pass
        raise ConfigurationError(
            f"{self._path}: changed since it was checked: put it back, or start a new run."
        )

    def _index(self) -> None:
        try:
            with self._path.open("rb") as lines:
                if lines.read(3) != codecs.BOM_UTF8:
                    lines.seek(0)
                self._index_lines(lines)
        except OSError as error:
            raise ConfigurationError(
                f"{self._path}: cannot be read ({error.strerror}): check the target's `responses:`."
            ) from None
        if not self._offsets:
            raise ConfigurationError(f"{self._path}: has no responses.")

    def _index_lines(self, lines: BinaryIO) -> None:
        offset, number = lines.tell(), 0
        while raw := lines.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(raw) > MAX_LINE_BYTES:
                limit = MAX_LINE_BYTES // (1024 * 1024)
                raise ConfigurationError(
                    f"{self._path}:{number}: longer than {limit} MiB; is this a JSONL file?"
                )
            if raw.strip():
                try:
                    line = self._decoder.decode(raw)
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise ConfigurationError(
                        f"{self._path}:{number}: not a recorded response ({error}); "
                        'expected {"query_id": "...", "response": "..."}.'
                    ) from None
                key = (line.query_id, line.epoch)
                if key in self._offsets:
                    raise ConfigurationError(
                        f"{self._path}:{number}: a second response to {line.query_id!r} "
                        f"in epoch {line.epoch}: keep one, or give it another epoch."
                    )
                self._offsets[key] = offset
            offset += len(raw)
