"""The memory that pictures and sounds may take."""

from ...common import memory_bytes
from ._shape import RunLimitsConfig

_PART_OF_MEMORY = 150
_LEAST, _MOST = 64 * 10**6, 10**9


def most_media_bytes(limits: RunLimitsConfig) -> int:
    """Return the most bytes that the media of all cases under way may take, in base64.

    Unless `limits.media_bytes` says it, a 150th of the memory, but 64 MB to 1 GB.
    """
    if limits.media_bytes is not None:
        return limits.media_bytes
    return min(max(memory_bytes() // _PART_OF_MEMORY, _LEAST), _MOST)
