"""Lets in whoever has the address, and says with each reply what a page may do."""

import hmac
import re
import secrets
from collections.abc import Mapping

from aiohttp import web

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "require-trusted-types-for 'script'",
        "trusted-types safejury",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "safejury",
}
"""Of every reply. What is served may be harmful: no cache of a browser keeps it."""
_HERE = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?", re.IGNORECASE)


class Door:
    """Knows the addresses under which a page is served.

    A path with a random token leads to the page: unlike a cookie, it is not sent to other servers
    of this machine. A browser is started with a link that works once, because the others who use
    the machine can see what its processes were started with.
    """

    def __init__(self, port: int) -> None:
        self._place = f"http://127.0.0.1:{port}"
        self._token = secrets.token_urlsafe(32)
        self._once: str | None = secrets.token_urlsafe(32)

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"{self._place}{self._root}"

    @property
    def url_once(self) -> str:
        """A link to the page that works once."""
        return f"{self._place}/{self._once or ''}"

    @property
    def _root(self) -> str:
        return f"/{self._token}/"

    def name(self, request: web.Request) -> str:
        """Return the name of what is asked for, relative to the page.

        Raises:
            HTTPForbidden: It comes by another name of this machine, or without the token.
            HTTPMethodNotAllowed: It would not only read.
            HTTPSeeOther: It is a way to the page.
        """
        # A site that is given this machine's address is still called by its own name. The port
        # may be another: that of a tunnel.
        if not _HERE.fullmatch(request.headers.get("Host", "")):
            raise web.HTTPForbidden
        first, slash, name = request.path.removeprefix("/").partition("/")
        if self._once is not None and _same(first, self._once):
            self._once = None
            raise web.HTTPSeeOther(self._root)
        if not _same(first, self._token):
            raise web.HTTPForbidden
        if request.method != "GET":
            raise web.HTTPMethodNotAllowed(request.method, ["GET"])
        if not slash:
            raise web.HTTPSeeOther(self._root)
        return name


def _same(given: str, expected: str) -> bool:
    """Compare in a time that says nothing of where they differ."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
