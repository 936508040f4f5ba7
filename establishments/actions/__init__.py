"""Bringing the directory up to date: the only writer of regions, entities, sites, GHT and establishments."""

from establishments.actions.directory import import_directory
from establishments.actions.published import Directory, Extract, Line, Progress, quiet

__all__ = ["Directory", "Extract", "Line", "Progress", "import_directory", "quiet"]
