"""Files that are compressed, told by their first bytes."""

_MARKS = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
)


def compressed(head: bytes) -> str | None:
    """Return what is wrong with a file that begins like this if it is compressed."""
    name = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    return None if name is None else f"is compressed ({name}): unpack it first"
