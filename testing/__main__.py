"""Runs a scripted server: `python -m safejury.testing`."""

from ._scripted import main

main()
