"""The console script `hub`: the only place that prints. Data to stdout, talk to stderr."""

from hub.cli.main import main

__all__ = ["main"]
