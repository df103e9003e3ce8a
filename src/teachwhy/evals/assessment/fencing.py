"""Untrusted text between fences that it cannot forge, without the names of models, and quotes looked up in it."""

import html
import re
from collections.abc import Sequence
from functools import cache

import yaml

from teachwhy.evals.assessment.dimensions import assessment_folder
from teachwhy.hashing import digest

_MASK = "[name]"
_SHORTEST_QUOTE = 12
_QUOTE_MARKS = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00ab": '"', "\u00bb": '"', "\u00a0": " "}
)


def mark_of(*parts: str) -> str:
    """The mark of a fence, 16 hex digits, from all that stands inside: a text cannot hold the hash of itself."""
    return digest(list(parts))[:16]


def fenced(text: str, mark: str, **attributes: str) -> str:
    """The text between two tags that carry the mark; whatever tag stands inside is escaped and closes nothing."""
    shown = "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items())
    return f"<said-{mark}{shown}>\n{html.escape(text, quote=False)}\n</said-{mark}>"


def masked(text: str, model: str = "") -> str:
    """The text without names of language models and their makers, nor that of ``model`` (an Inspect model name)."""
    own = _own_name(model)
    hidden = re.sub(re.escape(own), _MASK, text, flags=re.IGNORECASE) if own else text
    return _names().sub(_MASK, hidden)


def _own_name(model: str) -> str:
    """The last part of a model's name, if it is one that nobody would say by chance."""
    last = model.rstrip("/").rpartition("/")[2]
    return last if len(last) >= 5 and any(c.isdigit() for c in last) else ""


@cache
def _names() -> re.Pattern[str]:
    listed = yaml.safe_load((assessment_folder() / "names.yaml").read_text("utf-8"))["names"]
    return re.compile("|".join(rf"\b(?:{name})\b" for name in listed), re.IGNORECASE)


def is_quoted(quote: str, texts: Sequence[str]) -> bool:
    """Is the quote one unbroken stretch of one of the texts?

    Case, line breaks, the shape of quotation marks and escaping do not matter. Less than 12 characters could be found
    nearly anywhere and count only as a whole line.
    """
    wanted = {_plain(quote), _plain(html.unescape(quote))} - {""}
    return any(_holds(text, stretch) for text in texts for stretch in wanted)


def _holds(text: str, stretch: str) -> bool:
    if len(stretch) >= _SHORTEST_QUOTE:
        return stretch in _plain(text)
    return stretch in {_plain(line) for line in text.splitlines()}


def _plain(text: str) -> str:
    return " ".join(text.translate(_QUOTE_MARKS).casefold().split()).strip(" \"'")
