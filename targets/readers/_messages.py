"""Chat messages as the words and pictures of one question."""

from collections.abc import Iterable
from dataclasses import dataclass

from ...datasets.tables import listed
from ...datasets.tables._values import (
    Object,
    RowError,
    as_list,
    as_object,
    as_text,
    first_text,
    is_object,
)

_IMAGE_PARTS = {"image_url", "image", "input_image"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked.

    Attributes:
        text: The words; None where there are none.
        images: Addresses of the pictures, in order.
    """

    text: str | None
    images: tuple[str, ...] = ()


def asked(messages: Iterable[object]) -> Asked:
    """Return what a list of `{"role", "content"}` asks.

    A lone message of a user is its own words. Where there is more (a system message, a
    conversation), each part is named, so that the jury sees all that the target saw.

    Raises:
        RowError: A picture is not in the file, and nothing says where it is.
    """
    spoken: list[tuple[str, str]] = []
    images: list[str] = []
    for message in map(as_object, messages):
        text = content_text(message.get("content"))
        images += _images(message.get("content"))
        if text is not None:
            spoken.append((as_text(message.get("role")) or "user", text))
    if not spoken:
        return Asked(None, tuple(images))
    if len(spoken) == 1 and spoken[0][0] == "user":
        return Asked(spoken[0][1], tuple(images))
    return Asked("\n\n".join(f"[{role}]\n{text}" for role, text in spoken), tuple(images))


def content_text(content: object) -> str | None:
    """Return the words of a message's content: a text, an object with one, or a list of parts."""
    if isinstance(content, str):
        return content
    if is_object(content):
        return first_text(content.get("text"))
    parts = [as_text(as_object(part).get("text")) for part in as_list(content)]
    texts = [text for text in parts if text]
    return "\n".join(texts) if texts else None


def _images(content: object) -> Iterable[str]:
    for part in map(as_object, as_list(content)):
        if part.get("type") in _IMAGE_PARTS:
            yield _address(part)


def _address(part: Object) -> str:
    """Return where a picture is, or the picture itself as a `data:` address.

    Raises:
        RowError: It is neither there nor named: a file at its provider, say.
    """
    for key in ("image_url", "image", "source"):
        value = part.get(key)
        about = as_object(value)
        # Anthropic writes the bytes into the part.
        if data := as_text(about.get("data")):
            return f"data:{as_text(about.get('media_type')) or ''};base64,{data}"
        if address := first_text(value, about.get("url")):
            return address
    raise RowError(
        "has a picture that is not in the file: its part has no address and no bytes, only "
        f"{listed(part)}"
    )
