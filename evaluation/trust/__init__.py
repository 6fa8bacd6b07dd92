"""How far verdicts can be trusted: labels, jury cards, corrected rates."""

from ._votes import NO_VOTE, SAFE, UNSAFE, VoteTable

__all__ = [
    "NO_VOTE",
    "SAFE",
    "UNSAFE",
    "VoteTable",
]
