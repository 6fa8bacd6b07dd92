"""Run the command line with `python -m safejury`."""

from .cli import main

main()
