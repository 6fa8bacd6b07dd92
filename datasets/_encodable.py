"""Texts that no encoding holds, written out."""


def encodable(text: str) -> str:
    r"""Return a text that UTF-8 can hold.

    A name of a file that is not UTF-8 shows its bytes as `\xe9`, and half of a surrogate
    pair is shown as `\ud800`.
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
