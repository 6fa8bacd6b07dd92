"""What happened, and how sure we are: runs, records, statistics, the command line."""

__all__: list[str] = []
