"""Untrusted text for a judge: escaped so that it cannot leave its line, between two lines that it cannot foresee."""

import json
from collections.abc import Sequence
from itertools import count

from teachwhy.hashing import digest


def escaped(text: str) -> str:
    r"""The text as one JSON string: quotes, line breaks and everything unprintable become escapes (``\n``, ``\u202e``).

    Letters of every script stay readable. What a reader sees between the two quotes is data, whatever it says.
    """
    return "".join(c if c.isprintable() else _code(c) for c in json.dumps(text, ensure_ascii=False))


def _code(char: str) -> str:
    return json.dumps(char, ensure_ascii=True)[1:-1]


def fence_of(texts: Sequence[str]) -> str:
    """A word for the lines around these texts that stands in none of them.

    It is a hash of all of them, so a text that holds its own fence would have to be a fixed point of SHA-256.
    """
    words = (digest(["fence", number, list(texts)])[:24] for number in count())
    return next(word for word in words if not any(word in text for text in texts))


def fenced(fence: str, lines: Sequence[str]) -> str:
    """Lines of escaped text between their two fences."""
    return "\n".join([f"=== {fence} begins ===", *lines, f"=== {fence} ends ==="])
