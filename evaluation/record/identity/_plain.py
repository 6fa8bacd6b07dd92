"""Makes plain data of a config, without secrets, for an identity."""

import re
from typing import cast
from urllib.parse import urlsplit

from ....models import HIDDEN, is_secret_name

_ADDRESSES = {"base_url", "api_base", "proxy"}
_LATER = {
    *("request", "api_base", "api_version", "region", "image_formats"),
    *("join", "categories", "function", "turns", "threshold", "cost", "bound"),
    "talk_between",
    "voices",
}
_NO_ADDRESS = "(not an address)"
_USER = re.compile(r"(?<=://)[^/\s@]+@")


def without_secrets(data: object) -> object:
    """Return a config's plain data without its secrets.

    Addresses lose user, password and query, those within other settings user and password;
    environment variables named like secrets lose their values.
    """
    if isinstance(data, dict):
        mapping = cast(dict[str, object], data)
        return {_USER.sub("", key): _withheld(key, value) for key, value in mapping.items()}
    if isinstance(data, list):
        return [without_secrets(item) for item in cast(list[object], data)]
    return _USER.sub("", data) if isinstance(data, str) else data


def _withheld(key: str, value: object) -> object:
    if key in _ADDRESSES and isinstance(value, str):
        return _address(value)
    if key == "env" and isinstance(value, dict):
        variables = cast(dict[str, object], value)
        return {
            name: HIDDEN if is_secret_name(name) else without_secrets(variables[name])
            for name in variables
        }
    return without_secrets(value)


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=host, query="", fragment="").geturl()
    except ValueError:
        return _NO_ADDRESS


def known_by_name(data: object) -> object:
    """Return a config's plain data for an identity, with headers by name only.

    Settings that later versions added are left out where they are not set, so that earlier
    runs keep their identity.
    """
    if isinstance(data, list):
        return [known_by_name(item) for item in cast(list[object], data)]
    if not isinstance(data, dict):
        return data
    mapping = cast(dict[str, object], data)
    kept = {key: value for key, value in mapping.items() if not (key in _LATER and value is None)}
    request = kept.get("request")
    if isinstance(request, dict):
        said = cast(dict[str, object], request)
        names = sorted(cast(dict[str, str], said.get("headers") or {}))
        return {**kept, "request": {**said, "headers": names}}
    return {key: known_by_name(value) for key, value in kept.items()}


def host_of(address: str) -> str:
    """Return host and port of an address, without user and password."""
    try:
        return urlsplit(address.strip()).netloc.rpartition("@")[2]
    except ValueError:
        return _NO_ADDRESS
