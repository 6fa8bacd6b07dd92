"""Makes text encodable as UTF-8 and storable in a database."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def encodable(text: str) -> str:
    r"""Return `text` with everything escaped that UTF-8 cannot encode.

    A name of a file that is not UTF-8 shows its bytes as `\xe9`, and half of a surrogate
    pair is shown as `\ud800`.
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()


def storable(text: str) -> str:
    """Return `text` with U+FFFD for characters that UTF-8 or a database cannot hold."""
    return text if text.isascii() and "\x00" not in text else _UNSTORABLE.sub("\ufffd", text)
