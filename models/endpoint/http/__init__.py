"""Speaks HTTP with servers: exchanges, their connections and what may go wrong."""

from ._connection import Connection
from ._faults import ConnectionOptions, proxy_login_advice
from ._reply import HttpReply, is_events

__all__ = [
    "Connection",
    "ConnectionOptions",
    "HttpReply",
    "is_events",
    "proxy_login_advice",
]
