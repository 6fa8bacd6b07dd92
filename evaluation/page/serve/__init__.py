"""Serves the page of runs from their records, live while they are going."""

from ._door import Door
from ._server import Content, Site, listen, serve
from ._site import RunSite

__all__ = ["Content", "Door", "RunSite", "Site", "listen", "serve"]
