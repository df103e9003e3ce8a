"""Plain functions on text by which constraints are checked: what counts as a word, a sentence, an item of a list."""

import json
import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

_WORD = re.compile(r"[^\W_]+(?:[’'\-.,][^\W_]+)*")
_MARK = re.compile(r"^[ \t]*(?:[-*•+]|\d+[.)])[ \t]+", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]*[-*•+][ \t]+\S", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t]*(\d+)[.)][ \t]+\S", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+\S", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=\S)[^*\n]+(?<=\S)\*\*")
_SLOT = re.compile(r"\[[^\[\]\n]+\](?!\()")
_SHORT = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc|e\.g|i\.e|a\.m|p\.m|[A-Z])\.(?=\s)")
_END = re.compile(r"[.!?…]+[\"'”’)\]*_]*(?=\s|\Z)")
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*(?![\w])")
_FENCE = re.compile(r"\A```[\w-]*[ \t]*\n(.*?)\n?```\Z", re.DOTALL)

FORMS = {
    "iso-date": re.compile(r"(?<!\d)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)"),
    "clock-24": re.compile(r"(?<![\d:])(?:[01]\d|2[0-3]):[0-5]\d(?![\d:])"),
    "percent": re.compile(r"(?<![\w.,])\d+(?:\.\d+)?%"),
    "hashtag": re.compile(r"(?<!\w)#[^\W\d]\w*"),
    "question": re.compile(r"\?(?=[\"'”’)\]*_]*(?:\s|\Z))"),
    "all-capitals": re.compile(r"(?<!\w)[^\W\d_a-z]{2,}(?!\w)"),
}
"""Things of a fixed form that a request can ask for and that can be counted."""


def words(text: str) -> list[str]:
    """Runs of letters and digits; hyphens, apostrophes, points and commas inside belong to the word."""
    return _WORD.findall(text)


def sentences(text: str) -> int:
    """How many sentences: stretches that end in . ! ? or …; a stretch of words without an end counts as one.

    List marks and common abbreviations end none.
    """
    plain = _SHORT.sub(lambda found: found[0].replace(".", ""), _MARK.sub("", text))
    return sum(bool(words(part)) for part in _END.split(plain))


def paragraphs(text: str) -> list[str]:
    """Blocks of text between empty lines."""
    return [block.strip() for block in re.split(r"\n[ \t]*\n", text) if block.strip()]


def lines(text: str) -> list[str]:
    """Lines that are not empty, without their margins."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def bullets(text: str) -> int:
    """How many lines begin with a bullet."""
    return len(_BULLET.findall(text))


def numbered(text: str) -> int:
    """How many items a numbered list has, if its numbers run 1, 2, 3 ...; else none."""
    found = [int(n) for n in _NUMBERED.findall(text)]
    return len(found) if found == list(range(1, len(found) + 1)) else 0


def headings(text: str) -> int:
    """How many Markdown headings."""
    return len(_HEADING.findall(text))


def bold(text: str) -> int:
    """How many stretches between double asterisks."""
    return len(_BOLD.findall(text))


def placeholders(text: str) -> int:
    """How many stretches in square brackets (that are no links)."""
    return len(_SLOT.findall(text))


def numbers(text: str) -> list[str]:
    """Numbers in digits, as written, but for the marks of lists."""
    return _NUMBER.findall(_MARK.sub("", text))


def occurrences(text: str, term: str) -> int:
    """How often a term stands in a text as a whole word or phrase, in any case."""
    return len(_term(term).findall(text))


def first_place(text: str, term: str) -> int | None:
    """Where a term first stands, as ``occurrences`` finds it."""
    found = _term(term).search(text)
    return found.start() if found else None


def _term(term: str) -> re.Pattern[str]:
    spaced = r"\s+".join(map(re.escape, term.split()))
    return re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)


def is_upper(text: str) -> bool:
    """Has it letters, all of them capitals?"""
    return text.upper() == text and any(c.isalpha() for c in text)


def is_lower(text: str) -> bool:
    """Has it letters, none of them a capital?"""
    return text.lower() == text and any(c.isalpha() for c in text)


def share_of_script(text: str, script: str) -> float:
    """Share of a text's letters whose Unicode name begins with the script's (LATIN, GREEK, CYRILLIC, CJK, ...).

    Without a letter it is 0.
    """
    letters = [c for c in text if c.isalpha()]
    return sum(unicodedata.name(c, "").startswith(script) for c in letters) / len(letters) if letters else 0.0


def unfenced(text: str) -> str:
    """The inside of a code fence, if the whole text is one; else the text."""
    found = _FENCE.match(text.strip())
    return found[1] if found else text


def json_object(text: str) -> dict[str, Any] | None:
    """The text as one JSON object, if it is one."""
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def cells(text: str) -> list[list[str]]:
    """The rows of the Markdown tables in a text, without the lines that rule them off."""
    rows = [line.strip("|").split("|") for line in lines(text) if line.startswith("|") and line.endswith("|")]
    table = [[cell.strip() for cell in row] for row in rows]
    return [row for row in table if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]


def squeezed(text: str) -> str:
    """A text with single spaces, in lower case, with typewriter quotes: for comparing what was repeated."""
    plain = text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    return " ".join(plain.lower().split())


def unmarked(line: str) -> str:
    """A line without its list mark."""
    return _MARK.sub("", line)


def in_order(places: Sequence[int | None]) -> bool:
    """Are all places there, and each after the one before?"""
    known = [place for place in places if place is not None]
    return len(known) == len(places) and all(a < b for a, b in pairwise(known))
