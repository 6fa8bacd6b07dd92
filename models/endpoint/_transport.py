"""Sets up the way to an endpoint: address, certificates, proxy and headers."""

import base64
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.request import getproxies_environment, proxy_bypass

from yarl import URL

from ...common import ConfigurationError
from ..chat import is_secret_name, redactor

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
"""Line breaks, controls, and what stands for bytes of the environment that are not UTF-8."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy in front of an endpoint.

    Attributes:
        url: Its address, without user and password.
        login: Headers that log us in to it.
        source: The setting that names it, for errors.
    """

    url: URL
    login: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    source: str = "`proxy`"


def parse_base(text: str) -> URL:
    """Parse a `base_url` to the API's address; user and query are kept.

    Raises:
        ConfigurationError: It is not an HTTP address.
    """
    base = _http_url(text)
    if base is None:
        raise ConfigurationError(
            f"base_url {redactor.redact(text)!r} is not an address such as"
            " http://127.0.0.1:8000/v1; write it with http:// or https://"
        )
    path = base.path.rstrip("/").removesuffix("/chat/completions")
    return base.with_path(path or "/", keep_query=True).with_fragment(None)


def address_of(text: str) -> str:
    """Return an address without user, query and trailing slash, to identify a place."""
    try:
        base = parse_base(text)
    except ConfigurationError:
        return "(not an address)"
    return str(base.with_user(None).with_query(None)).rstrip("/")


def endpoint_headers(
    base: URL, api_key: str | None, extra: Mapping[str, str] | None
) -> dict[str, str]:
    """Return the headers of every request; secrets in them are registered for redaction.

    Raises:
        ConfigurationError: A key or a header cannot be sent as it is.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    headers["User-Agent"] = "safejury"
    if base.user or base.password:
        headers["Authorization"] = _basic(base)
    if key := (api_key or "").strip():
        headers["Authorization"] = f"Bearer {key}"
        redactor.register(key)
    for name, value in (extra or {}).items():
        if is_secret_name(name) or "auth" in name.lower():
            redactor.register(value)
            redactor.register(value.partition(" ")[2])
        for same in [given for given in headers if given.lower() == name.lower()]:
            del headers[same]
        headers[name] = value
    for name, value in headers.items():
        # A line break would begin another header, or another request.
        if _UNSENDABLE.search(value) or not _HEADER_NAME.fullmatch(name):
            what = "the API key" if name == "Authorization" else f"the header {name!r}"
            raise ConfigurationError(
                f"{what} holds a line break or another character that cannot be sent; mend the"
                " environment variable that it comes from"
            )
    return headers


def tls_context(ca_file: str | None, *, verify: bool) -> ssl.SSLContext | bool:
    """Return the TLS settings for checking certificates, True for the default.

    Args:
        ca_file: PEM file of certificates that are trusted beside the usual ones.
        verify: Whether certificates are checked at all.

    Raises:
        ConfigurationError: The file cannot be used.
    """
    if not verify:
        return False
    if ca_file is None:
        return True
    path = Path(os.path.expanduser(ca_file))
    context = ssl.create_default_context()
    # Certificates made at home often lack extensions that newer Pythons insist on.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"ca_file {ca_file!r} holds no certificate in PEM form; name the file that begins"
            " with -----BEGIN CERTIFICATE-----"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"ca_file {ca_file!r} cannot be read: {error.strerror}; check the path"
        ) from error
    return context


def proxy_for(base: URL, given: str | None) -> Proxy | None:
    """Return the proxy for `base`, None for a direct connection.

    Without a given one, `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the environment
    hold for public addresses; hosts of this machine and its private networks are
    always reached directly.

    Raises:
        ConfigurationError: The given one is not an HTTP address.
    """
    if given is not None:
        url = _http_url(given)
        if url is None:
            raise ConfigurationError(
                f"proxy {redactor.redact(_without_user(given))!r} is not an address such as"
                " http://proxy.example:3128; write it with http://"
            )
        return _proxy(url, "`proxy`")
    host = base.host or ""
    proxies = getproxies_environment()
    if is_near(host) or proxy_bypass(host):
        return None
    url = _http_url(proxies.get(base.scheme, ""))
    return None if url is None else _proxy(url, f"{base.scheme.upper()}_PROXY")


def _proxy(url: URL, source: str) -> Proxy:
    login = {"Proxy-Authorization": _basic(url)} if url.user or url.password else {}
    return Proxy(url.with_user(None).with_path("/"), login, source)


def _basic(url: URL) -> str:
    """Return a URL's basic authentication; user and password are registered for redaction."""
    pair = f"{url.user or ''}:{url.password or ''}"
    basic = base64.b64encode(pair.encode()).decode()
    redactor.register(url.password)
    redactor.register(basic)
    return f"Basic {basic}"


def _http_url(text: str) -> URL | None:
    try:
        url = URL(text.strip())
        if url.scheme not in ("http", "https") or not url.raw_host:
            return None
        url.raw_host.encode("idna")  # as it is looked up: no part may be empty or too long
        return url
    except ValueError:
        return None


def _without_user(address: str) -> str:
    head, slashes, rest = address.rpartition("//")
    return head + slashes + rest.rpartition("@")[2]


def is_near(host: str) -> bool:
    """Return whether an address or name is of this machine or a private network."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))
