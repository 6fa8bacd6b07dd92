"""The managed servers of a config, and what they cost by the hour."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._server_book import ServerBook
    from ._server_clock import Uptime, check_priced, server_clock
    from ._servers import SERVER_LOGS, make_fleet, plan_servers

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_server_book": ["ServerBook"],
            "_server_clock": ["Uptime", "check_priced", "server_clock"],
            "_servers": ["SERVER_LOGS", "make_fleet", "plan_servers"],
        },
    )

__all__ = [
    "SERVER_LOGS",
    "ServerBook",
    "Uptime",
    "check_priced",
    "make_fleet",
    "plan_servers",
    "server_clock",
]
