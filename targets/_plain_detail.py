"""Says why there is no answer without words of others, which may quote the question."""

import re

from ._response import Response

WITHHELD = "[withheld]"
"""What stands in place of words that were removed."""
_QUOTED = re.compile(r"(?<!\w)(['\"])(?:\\.|(?!\1)[^\\])+\1(?!\w)", re.DOTALL)
"""What an error quotes of a server's text."""
_RAISED = re.compile(r"\w+(?:Error|Exception|Exit|Group|Timeout|Interrupt)(?=: |$)")
_OURS = re.compile(
    r"not put: .*|the reply was empty|recorded as \w+|the attack found nothing to ask"
    r"|the batch says status \d+|[^\n]{1,300} has no response to '[^'\n]*' in epoch \d+"
)


def plain_detail(response: Response) -> str | None:
    """Return why there is no answer, with `[withheld]` in place of words of others.

    These are what a server says of a call that failed, what a function of the user's own raised,
    and what a file of responses has. Servers quote what they refuse, so it is as the question is:
    for those who ask for it. The model, the status and what to do stay.
    """
    detail = response.detail
    if detail is None or _OURS.fullmatch(detail):
        return detail
    if response.sampling is not None:  # a model was asked, so that the sentence is ours
        return _QUOTED.sub(WITHHELD, detail)
    raised = _RAISED.match(detail)
    return WITHHELD if raised is None else f"{raised[0]}: {WITHHELD}"
