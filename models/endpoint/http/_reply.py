"""Holds what a server replied."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A server's HTTP reply."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Headers(Mapping[str, str]):
    """Header fields as they were received; the case of their names does not matter.

    Args:
        fields: Their values by name in lower case; of a repeated field the first one.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[bytes, bytes]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        """Return the value of a field."""
        value = self._fields[name.lower().encode("latin-1", "replace")]
        # Bytes of other encodings are kept, as aiohttp does, so that no reply is lost on them.
        return value.rstrip(b" \t").decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, in lower case."""
        return (name.decode("latin-1") for name in self._fields)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._fields)


def is_events(status: int, headers: Mapping[str, str]) -> bool:
    """Return whether a reply is a stream of server-sent events."""
    return status == 200 and headers.get("Content-Type", "").startswith("text/event-stream")
