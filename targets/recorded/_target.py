"""A target that answers from a file of recorded responses."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ...common import ConfigurationError
from ...common.text import encodable, quoted
from ...datasets import Intent, Message, MessagePart, Query
from .._response import Response, ResponseOutcome
from .._turns import turns_of
from ._file import RecordedFile
from ._join import Join, JoinBy, JoinResult
from ._picture_folders import PictureFolders
from ._spool import LeftOut
from .readers.base import RecordedRow, Unreadable, without_media

OTHER_WORDS_NOTE = "the file says that other words were asked; the jury saw those of the set"
_NAMES_SHOWN = 3


class RecordedTarget:
    """Answers from a file of responses in any supported format; see `RecordedFile`.

    Args:
        name: The target's name in the config.
        file: The file, or its path.
        format: Name of its format, None to tell it from the content.
        mapping: Paths of what is needed within a row, such as
            `{"response": "output.text"}`; for JSONL, CSV and Parquet.
        intent: Of all questions, whatever the file says; None takes what it says.
        model: The model whose responses to use; required if the file has several.

    Attributes:
        joined: How its responses were joined to the queries of a set, None if the
            questions are its own.

    Raises:
        ConfigurationError: The file cannot be read, no row of it can be used, or it is not
            known which model's responses to use.
    """

    def __init__(
        self,
        name: str,
        file: Path | RecordedFile,
        *,
        format: str | None = None,
        mapping: Mapping[str, str] | None = None,
        intent: Intent | None = None,
        model: str | None = None,
    ) -> None:
        self._name = name
        self.file = (
            file
            if isinstance(file, RecordedFile)
            else RecordedFile(file, format=format, mapping=mapping, intent=intent)
        )
        self.path = self.file.path
        self.sha256 = self.file.sha256
        self._rows = self.file.rows_of(model)
        self.joined: JoinResult | None = None
        self._refuse_nothing("can be used")

    @property
    def name(self) -> str:
        """The target's name in the config."""
        return self._name

    @property
    def read_as(self) -> str:
        """The title of the file's format."""
        return self.file.read_as

    @property
    def pictures(self) -> PictureFolders:
        """The folders in which the file's pictures may lie."""
        return self.file.pictures

    @property
    def epochs(self) -> int:
        """The number of epochs: the highest one plus 1, at least 1."""
        return self._rows.epochs

    @property
    def left_out(self) -> LeftOut:
        """The skipped rows: how many, and the first of them."""
        return self._rows.left_out()

    def __len__(self) -> int:
        """Return the number of usable responses."""
        return len(self._rows)

    def all_left_out(self) -> Iterator[Unreadable]:
        """Yield all skipped rows."""
        return self._rows.all_left_out()

    def rows(self) -> Iterator[RecordedRow]:
        """Yield the usable rows in file order."""
        return self._rows.rows()

    def has(self, query_id: str, epoch: int) -> bool:
        """Return whether there is a response to a query in an epoch."""
        return self._rows.has(query_id, epoch)

    def drop(self, row: RecordedRow, why: str) -> None:
        """Skip a row after all."""
        self._rows.drop(row, why)

    def join(self, queries: Iterable[Query], owner: str, by: JoinBy | None = None) -> None:
        """Join responses to queries, and skip responses without a query.

        Args:
            queries: Those that may be asked.
            owner: Whose they are, in words.
            by: How to join, None for what matches all; see `Join`.

        Raises:
            ConfigurationError: It is not clear how, or no response is left.
        """
        ours = self._rows.ids(_NAMES_SHOWN)
        theirs: list[str] = []

        def seen() -> Iterator[Query]:
            for query in queries:
                if len(theirs) < _NAMES_SHOWN:
                    theirs.append(query.id)
                yield query

        try:
            join = Join(self._rows.numbered(), seen(), owner, by)
        except ConfigurationError as error:
            raise ConfigurationError(f"{self.path}: {error}") from None
        self._rows.assign(join.pairs())
        self.joined = join.result
        if not len(self._rows):
            raise ConfigurationError(
                f"{self.path}: no response answers a query of {owner}, by its id or by what it "
                f"asks: its ids are {_listed(ours)}, those of the queries {_listed(theirs)}: name "
                "the right dataset, map the ids (id=COLUMN), or take the questions from the file "
                "with `dataset: responses`"
            )

    def keep_asked(self, query_ids: Iterable[str]) -> None:
        """Skip all responses whose question is not in the file.

        Args:
            query_ids: The queries that are known.

        Raises:
            ConfigurationError: No response is left.
        """
        self._rows.drop_unknown(query_ids, "does not say what was asked")
        self._refuse_nothing("can be judged without a dataset")

    async def respond(self, query: Query, *, epoch: int, call_id: str) -> Response:
        """Return the recorded response to a query; a missing one has the outcome `error`."""
        row = self._rows.find(query.id, epoch)
        if row is None:
            file = encodable(self.path.name)
            return Response(
                ResponseOutcome.ERROR,
                "",
                detail=f"{file} has no response to {query.id!r} in epoch {epoch}",
                cost_usd=0.0,
            )
        outcome = row.settled()
        answered = outcome is ResponseOutcome.ANSWERED
        since = _beyond(row, query)
        return Response(
            outcome,
            row.response or "",
            detail=None if answered else row.detail or f"recorded as {outcome}",
            finish_reason=row.finish_reason,
            provider_model=row.provider_model or row.model,
            cost_usd=0.0,
            notes=(OTHER_WORDS_NOTE,) if since is None and _asks_otherwise(row, query) else (),
            turns=row.turns if since is None else since,
        )

    async def aclose(self) -> None:
        """Do nothing: no file stays open."""

    def _refuse_nothing(self, wanted: str) -> None:
        if len(self._rows):
            return
        first = next(self._rows.all_left_out(), None)
        if first is None:
            raise ConfigurationError(f"{self.path}: has no responses, read as {self.read_as}")
        place = first.place.removeprefix("line ")
        where = f"{self.path}:{place}" if place.isdecimal() else f"{self.path}: {first.place}"
        rows = self.left_out.count
        others = "It is the only row" if rows == 1 else f"Of its {rows:,} rows none {wanted}"
        raise ConfigurationError(
            f"{where}: {first.why}. {others}; the file was read as {self.read_as}: if it is "
            "something else, say so with --format or `format:`"
        )


def _asks_otherwise(row: RecordedRow, query: Query) -> bool:
    """Return whether a row asks other text than the query, if it does not begin with its turns."""
    if row.messages or row.turns:
        return True
    said = (row.text or "").split()
    return bool(said) and said != query.text.split()


def _beyond(row: RecordedRow, query: Query) -> tuple[Message, ...] | None:
    """Return the turns of a row after those of the query, without media.

    None if the row begins otherwise.
    """
    # A lone turn of a user is no conversation, but what follows it may be one.
    alone = row.text or row.images
    lone = (Message("user", (MessagePart("text", row.text or ""),)),) if alone else ()
    whole, asked = (*(row.messages or lone), *row.turns), turns_of(query)
    # How the target was set up is not what the query asks, unless it says so.
    if not any(turn.role == "system" for turn in asked):
        whole = tuple(turn for turn in whole if turn.role != "system")
    same = [_words(turn) for turn in whole[: len(asked)]] == [_words(turn) for turn in asked]
    return without_media(whole[len(asked) :]) if same else None


def _words(turn: Message) -> tuple[object, ...]:
    return turn.role, turn.text.split(), turn.tool_calls


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names)) or "none"
