"""Strips secrets from the addresses of services."""

from yarl import URL


def without_secrets(address: str | None) -> str | None:
    """Return an address without user, password and query; None where there is none."""
    try:
        return address and str(URL(address).with_user(None).with_query(None))
    except ValueError:
        return None
