"""Untrusted text for a model that judges or probes: escaped, between tags that it cannot forge, and quotes from it."""

import html
import json
import unicodedata
from collections.abc import Sequence
from itertools import count

from teachwhy.hashing import digest

_SHORTEST_QUOTE = 12
_QUOTE_MARKS = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00ab": '"', "\u00bb": '"', "\u00a0": " "}
)


def mark_of(*parts: str) -> str:
    """The mark of a fence: 16 hex digits, made from all that stands inside, that stand in none of it.

    Being a hash of the parts, it cannot be foreseen by whoever writes them.
    """
    shown = [escaped(part) for part in parts]
    marks = (digest([number, shown])[:16] for number in count())
    return next(mark for mark in marks if not any(mark in part for part in shown))


def escaped(text: str) -> str:
    r"""The text with nothing in it that could open or close a tag, and nothing that a reader cannot see.

    ``&``, ``<`` and ``>`` become ``&amp;``, ``&lt;`` and ``&gt;``. What is not printed (controls, marks that turn the
    writing direction, lone surrogates) becomes a code like ``\u202e``; spaces, tabs, line breaks and letters of every
    script stay.
    """
    return "".join(c if c in "\n\t" or not _hidden(c) else _code(c) for c in html.escape(text, quote=False))


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _code(char: str) -> str:
    return json.dumps(char)[1:-1] if char != "\x7f" else "\\u007f"


def fenced(text: str, mark: str, tag: str = "said", **attributes: str) -> str:
    """The escaped text between two tags that carry the mark, each tag on a line of its own.

    Args:
        mark: what ``mark_of`` gave for all the texts that are shown together.
        attributes: what the opening tag says of the text; their values are escaped too.
    """
    shown = "".join(f' {key}="{_attribute(value)}"' for key, value in attributes.items())
    return f"<{tag}-{mark}{shown}>\n{escaped(text)}\n</{tag}-{mark}>"


def _attribute(value: str) -> str:
    return escaped(value).replace('"', "&quot;").replace("\n", "\\n").replace("\t", "\\t")


def is_quoted(quote: str, texts: Sequence[str], shortest: int = _SHORTEST_QUOTE) -> bool:
    """Is the quote one unbroken stretch of one of the texts, as it was written or as it was shown?

    Case, line breaks and the shape of quotation marks do not matter. What is shorter than ``shortest`` characters could
    be found nearly anywhere and counts only as a whole line or text.
    """
    wanted = _plain(quote)
    return bool(wanted) and any(_holds(form, wanted, shortest) for text in texts for form in (text, escaped(text)))


def _holds(text: str, wanted: str, shortest: int) -> bool:
    if len(wanted) >= shortest:
        return wanted in _plain(text)
    return wanted in {_plain(part) for part in (text, *text.splitlines())}


def _plain(text: str) -> str:
    return " ".join(text.translate(_QUOTE_MARKS).casefold().split()).strip(" \"'")
