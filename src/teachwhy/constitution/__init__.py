"""The text that is taught, and what it declares about itself."""

from teachwhy.constitution.constitution import Constitution, Declared, Front, Section, find, load, shipped

__all__ = ["Constitution", "Declared", "Front", "Section", "find", "load", "shipped"]
