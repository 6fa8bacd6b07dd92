"""The command that serves runs to a browser: `safejury view`."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..console import RunPaths, guarded, run_async, say, write_line

if TYPE_CHECKING:
    from ...evaluation.page.serve import Door


@guarded
def view(
    run: RunPaths,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="Port on this machine; a free one by default."),
    ] = None,
    opens: Annotated[
        bool,
        typer.Option("--open/--no-open", help="Open a browser, where there is a display."),
    ] = True,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for a run that has not begun yet.")
    ] = False,
) -> None:
    """Look at runs in a browser, also while they are going. Ctrl-C ends it."""
    from ...evaluation.page.serve import RunSite, listen, serve

    site = RunSite(run, wait=wait)

    def opened(door: "Door") -> None:
        write_line(door.url)
        say("Whoever has this address can read the runs, from this machine. Ctrl-C ends it.")
        if opens and _has_display():
            _open(door.url_once)

    run_async(serve(site, listen(port or 0), opened), tells_signals=True)


def _has_display() -> bool:
    if sys.platform in ("darwin", "win32"):
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        say("No browser could be started: open the address in one.")
