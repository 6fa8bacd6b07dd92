"""Explains why a request got no reply."""

import errno
import os
import socket
import ssl
from dataclasses import dataclass

from ....common import BadReplyError, RequestError, TransportError
from .._http_errors import quoted
from .._transport import Proxy

IDLE_S = 4.0
"""How long an idle connection is kept: uvicorn, and so vLLM, closes it after 5 s."""
_OURS = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS}


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How to reach a server.

    Attributes:
        timeout: Seconds for a whole exchange.
        connect_timeout: Seconds for the connection, within `timeout`.
        tls: How certificates are checked.
        proxy: The proxy on the way, None for the direct way.
    """

    timeout: float
    connect_timeout: float
    tls: ssl.SSLContext | bool
    proxy: Proxy | None


@dataclass(frozen=True, slots=True)
class Faults:
    """The errors of one server's transport; each says what to change.

    Attributes:
        name: The model's name.
        reach: How the server is reached.
        max_reply_bytes: Longest body that is read.
    """

    name: str
    reach: ConnectionOptions
    max_reply_bytes: int

    def late_connection(self) -> TransportError:
        """Return the error for a connection that did not come about in time."""
        return self.unsent(
            f"no connection within {self.reach.connect_timeout:g} s; check that base_url"
            " is right and reachable, or raise connect_timeout"
        )

    def late_reply(self) -> TransportError:
        """Return the error for a reply that did not come in time."""
        return self.lost(
            f"no reply within {self.reach.timeout:g} s; raise the timeout or ask less at once"
        )

    def unreachable(self, error: OSError, said: str) -> TransportError:
        """Return the error for a failed connection."""
        what = f"cannot connect ({reason_of(error) or said}); is the server up, and is base_url"
        return self.unsent(f"{what} right?", permanent=error.errno not in _OURS)

    def cut_short(self, said: str) -> TransportError:
        """Return the error for a reply that is not whole."""
        return self.lost(f"the reply was cut short ({said})")

    def broke(self, said: str) -> TransportError:
        """Return the error for a connection that ended before the reply began."""
        return self.lost(f"the connection broke ({said})")

    def not_http(self, said: str) -> BadReplyError:
        """Return the error for a reply that is not HTTP."""
        what = f"the server does not speak HTTP ({said}); check base_url"
        return BadReplyError(f"{self.name}: {what}", permanent=True)

    def too_long(self, status: int) -> BadReplyError:
        """Return the error for a reply that is longer than one may be."""
        return BadReplyError(
            f"{self.name} sent more than {self.max_reply_bytes:,} bytes; reading stopped there:"
            " check that base_url is a model's, or lower max_tokens",
            status=status,
        )

    def refused_by_proxy(self, status: int, said: str) -> RequestError | TransportError:
        """Return the error for a proxy that answers in place of the server."""
        if status == 407:
            return RequestError(f"{self.name}: {proxy_login_advice(self._proxy)}", permanent=True)
        if status < 500:
            what = f"{self._proxy} refuses the connection to base_url ({said})"
            return RequestError(f"{self.name}: {what}", permanent=True)
        return self.unsent(f"{self._proxy} cannot reach base_url ({said})")

    def no_proxy(self, error: OSError, said: str) -> TransportError:
        """Return the error for a proxy that cannot be reached."""
        return self.unsent(f"cannot connect to {self._proxy} ({reason_of(error) or said})")

    def lost(self, what: str) -> TransportError:
        """Return the error for a request that may have been received."""
        return TransportError(f"{self.name}: {what}")

    def unsent(self, what: str, *, permanent: bool = True) -> TransportError:
        """Return the error for a request that no server received."""
        return TransportError(f"{self.name}: {what}", permanent=permanent, unsent=True)

    @property
    def _proxy(self) -> str:
        proxy = self.reach.proxy
        if proxy is None:
            return "the proxy"
        return f"the proxy {str(proxy.url).rstrip('/')} that {proxy.source} names"


def reason_of(error: OSError) -> str | None:
    """Return the operating system's message for an error, None if it has none."""
    if isinstance(error, socket.gaierror):
        return error.strerror
    return os.strerror(error.errno) if error.errno else None


def proxy_login_advice(place: str) -> str:
    """Return advice for a proxy that answers 407."""
    return (
        f"{place} needs a user and password; add them, as http://user:password@proxy.example:3128"
    )


def words_of(error: BaseException) -> str:
    """Return an error's own words, quoted."""
    return quoted(str(error) or type(error).__name__)
