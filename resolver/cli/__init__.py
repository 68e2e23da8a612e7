"""The command line: the one place where engine and connectors are wired together."""

from resolver.cli.app import main

__all__ = ["main"]
