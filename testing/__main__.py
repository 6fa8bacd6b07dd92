"""Run a scripted server with `python -m safejury.testing`."""

from ._scripted import main

main()
