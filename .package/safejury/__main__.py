"""Run the command line with `python -m safejury`."""

from .evaluation.cli import main

main()
