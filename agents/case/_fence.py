"""Fences around words that are evidence, so that a juror does not obey them.

A space is put into what a tokenizer could take for a control token. A space is
plain to see, and unlike a zero-width character no normalizer strips it again.
"""

import re

from ..reply import marks_replaced

# Possessive: two runs of these side by side could share them out in many ways.
_IGNORABLE = "[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*+"
_OPEN, _CLOSE, _BAR = "[<\uff1c\ufe64]", "[>\uff1e\ufe65]", "[|\uff5c\u2502]"

# One character, and what makes it dangerous. By line: `<|`, `|>`, plain tags such as `</s>`
# and `<start_of_turn>`, tags of brackets such as `<[end]>`, brackets such as `[INST]`,
# `[|user|]` and `]~b]`, triangles, switches such as `/no_think`, our fence's arrows.
_TOKENS = re.compile(
    "[<\uff1c\ufe64>\uff1e\ufe65|\uff5c\u2502\\[\\]\u25c1/](?:"
    rf"(?<={_OPEN})(?={_IGNORABLE}{_BAR})"
    rf"|(?<={_BAR})(?={_IGNORABLE}{_CLOSE})"
    rf"|(?<={_OPEN})(?={_IGNORABLE}[/!]?+{_IGNORABLE}\w[^\s<>]{{0,60}}{_CLOSE})"
    rf"|(?<={_OPEN})(?=\[\w[^\s<>]{{0,60}}\]{_CLOSE})"
    r"|(?<=\[)(?=/?(?:[A-Z][A-Z0-9_]{1,40}|[gs]MASK|control_\d+)\])"
    r"|(?<=\[)(?=\|\w{1,40}\|\])|(?<=[\[\]])(?=[a-z]?~!?[a-z]?[\[\]])"
    "|(?<=\u25c1)(?=/?\\w{1,40}\u25b7)|(?<!\\w/)(?<=/)(?=(?:no_)?think\\b)"
    rf"|(?<={_OPEN}{_OPEN})(?={_OPEN})|(?<={_CLOSE}{_CLOSE})(?={_CLOSE}))"
)
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def neutralize(text: str) -> str:
    """Return `text` with control tokens of chat templates broken by a space.

    Control characters and lone surrogates, which servers choke on, become U+FFFD.
    """
    text = _TOKENS.sub(_break, _UNSENDABLE.sub("\ufffd", text))
    return marks_replaced(text, _break)


def _break(match: re.Match[str]) -> str:
    return f"{match[0][0]} {match[0][1:]}"


def fenced(label: str, text: str, marker: str) -> str:
    """Return `text` between two lines that carry a marker, and that it cannot forge.

    Args:
        label: What is fenced, one word in capitals.
        text: Words that are evidence; the marker and control tokens in it are broken.
        marker: `Case.fence` of the case at hand.
    """
    inside = neutralize(text)
    if marker in inside.casefold():
        inside = re.sub(re.escape(marker), f"{marker[:4]}[...]", inside, flags=re.IGNORECASE)
    return f"<<<{label} {marker}\n{inside}\n{label} {marker}>>>"
