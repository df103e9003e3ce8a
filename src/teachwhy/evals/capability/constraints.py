"""Constraints that a reply can be checked for without any judgement.

The idea of verifiable instructions, and of a loose reading beside a strict one, is from Zhou et al. 2023,
arXiv:2311.07911; kinds, prompts and checks are our own.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from teachwhy.evals.capability import counting as c

Thing = Literal[
    "words",
    "sentences",
    "paragraphs",
    "lines",
    "bullets",
    "numbered",
    "headings",
    "bold",
    "placeholders",
    "characters",
    "iso-date",
    "clock-24",
    "percent",
    "hashtag",
    "question",
    "all-capitals",
]
Script = Literal["LATIN", "GREEK", "CYRILLIC", "CJK", "HANGUL", "ARABIC", "HEBREW", "DEVANAGARI", "HIRAGANA"]

_COUNTS: dict[str, Callable[[str], int]] = {
    "words": lambda text: len(c.words(text)),
    "sentences": c.sentences,
    "paragraphs": lambda text: len(c.paragraphs(text)),
    "lines": lambda text: len(c.lines(text)),
    "bullets": c.bullets,
    "numbered": c.numbered,
    "headings": c.headings,
    "bold": c.bold,
    "placeholders": c.placeholders,
    "characters": len,
}
# What more text never makes fewer. (A placeholder can become a link, a word in capitals can go on in small letters.)
_GROWING = ("words", "sentences", "paragraphs", "lines", "bullets", "headings", "characters")
# A foreign name or a unit is no breach of the script.
_SCRIPT = 0.9


class Constraint(BaseModel, ABC):
    """One constraint. ``holds`` tells whether a whole reply keeps it; ``lost`` whether a reply that was cut off has
    broken it already, however it would have gone on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @abstractmethod
    def holds(self, text: str) -> bool: ...

    def lost(self, text: str) -> bool:
        return False


class Counted(Constraint):
    """So many of something."""

    kind: Literal["count"]
    of: Thing
    exactly: int | None = None
    at_least: int | None = None
    at_most: int | None = None

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if self.exactly is None and self.at_least is None and self.at_most is None:
            raise ValueError("a count needs exactly, at_least or at_most")
        return self

    def holds(self, text: str) -> bool:
        count = self._count(text)
        low = self.exactly if self.exactly is not None else self.at_least or 0
        return low <= count and not self._above(count)

    def lost(self, text: str) -> bool:
        return self.of in _GROWING and self._above(self._count(text))

    def _count(self, text: str) -> int:
        counter = _COUNTS.get(self.of)
        return counter(text) if counter else len(c.FORMS[self.of].findall(text))

    def _above(self, count: int) -> bool:
        high = self.exactly if self.exactly is not None else self.at_most
        return high is not None and count > high


class Contains(Constraint):
    """All terms stand in the reply, each at least ``times`` times."""

    kind: Literal["contains"]
    terms: tuple[str, ...] = Field(min_length=1)
    times: int = 1

    def holds(self, text: str) -> bool:
        return all(c.occurrences(text, term) >= self.times for term in self.terms)


class Lacks(Constraint):
    """None of the terms stands in the reply."""

    kind: Literal["lacks"]
    terms: tuple[str, ...] = Field(min_length=1)

    def holds(self, text: str) -> bool:
        return not any(c.occurrences(text, term) for term in self.terms)

    def lost(self, text: str) -> bool:
        return not self.holds(f"{text}x")  # the last word may still become another one


class WithoutCharacters(Constraint):
    """None of the characters stands in the reply, in either case."""

    kind: Literal["without"]
    characters: str = Field(min_length=1)

    def holds(self, text: str) -> bool:
        return not self.lost(text)

    def lost(self, text: str) -> bool:
        return bool(set(self.characters.lower()) & set(text.lower()))


class Starts(Constraint):
    """The reply begins with this, word for word."""

    kind: Literal["starts"]
    text: str

    def holds(self, text: str) -> bool:
        return text.startswith(self.text)

    def lost(self, text: str) -> bool:
        return not self.text.startswith(text[: len(self.text)])


class Ends(Constraint):
    """The reply ends with this, word for word."""

    kind: Literal["ends"]
    text: str

    def holds(self, text: str) -> bool:
        return text.endswith(self.text)


class Case(Constraint):
    """Only capitals, or none."""

    kind: Literal["case"]
    case: Literal["upper", "lower"]

    def holds(self, text: str) -> bool:
        return c.is_upper(text) if self.case == "upper" else c.is_lower(text)

    def lost(self, text: str) -> bool:
        return (text.upper() if self.case == "upper" else text.lower()) != text


class Json(Constraint):
    """The reply is one JSON object with exactly these keys, and nothing beside it but a code fence."""

    kind: Literal["json"]
    keys: tuple[str, ...] = Field(min_length=1)

    def holds(self, text: str) -> bool:
        found = c.json_object(c.unfenced(text))
        return found is not None and set(found) == set(self.keys)


class InScript(Constraint):
    """The letters are of one script."""

    kind: Literal["script"]
    script: Script

    def holds(self, text: str) -> bool:
        return c.share_of_script(text, self.script) >= _SCRIPT


class Repeats(Constraint):
    """The reply begins by saying this again; case, spacing and quotes around it do not matter."""

    kind: Literal["repeats"]
    text: str

    def holds(self, text: str) -> bool:
        return c.squeezed(text).lstrip("\"'*_> ").startswith(c.squeezed(self.text))


class Decimals(Constraint):
    """At least one number stands there, and every number has so many decimals."""

    kind: Literal["decimals"]
    places: int

    def holds(self, text: str) -> bool:
        found = c.numbers(text)
        return bool(found) and all(len(n.rpartition(".")[2]) == self.places and "." in n for n in found)


class Grouped(Constraint):
    """Every number above 999 has a comma between its thousands, and there is such a number."""

    kind: Literal["thousands"]

    def holds(self, text: str) -> bool:
        large = [n for n in c.numbers(text) if len(n.split(".")[0].replace(",", "")) > 3]
        return bool(large) and all(_grouped(n.split(".")[0]) for n in large)


def _grouped(number: str) -> bool:
    head, *rest = number.split(",")
    return bool(rest) and 1 <= len(head) <= 3 and all(len(part) == 3 for part in rest)


class InOrder(Constraint):
    """These terms all stand in the reply, the first place of each after that of the one before."""

    kind: Literal["order"]
    terms: tuple[str, ...] = Field(min_length=2)

    def holds(self, text: str) -> bool:
        return c.in_order([c.first_place(text, term) for term in self.terms])


class Initials(Constraint):
    """The first letters of lines (or words), read downwards, spell this."""

    kind: Literal["initials"]
    of: Literal["lines", "words"]
    spell: str

    def holds(self, text: str) -> bool:
        parts = [c.unmarked(line) for line in c.lines(text)] if self.of == "lines" else c.words(text)
        return "".join(part[:1] for part in parts).lower() == self.spell.lower()


class EveryInitial(Constraint):
    """Every line (or word) begins with this letter."""

    kind: Literal["every-initial"]
    of: Literal["lines", "words"]
    letter: str = Field(min_length=1, max_length=1)

    def holds(self, text: str) -> bool:
        parts = [c.unmarked(line) for line in c.lines(text)] if self.of == "lines" else c.words(text)
        return bool(parts) and all(part[:1].lower() == self.letter.lower() for part in parts)


class Sorted(Constraint):
    """The lines stand in the order of the alphabet."""

    kind: Literal["sorted"]

    def holds(self, text: str) -> bool:
        found = [c.unmarked(line).casefold() for line in c.lines(text)]
        return len(found) > 1 and found == sorted(found)


class Parts(Constraint):
    """So many parts, with a line of their own between them that is exactly this."""

    kind: Literal["parts"]
    between: str
    exactly: int

    def holds(self, text: str) -> bool:
        parts: list[list[str]] = [[]]
        for line in c.lines(text):
            if line == self.between:
                parts.append([])
            else:
                parts[-1].append(line)
        return len(parts) == self.exactly and all(parts)


class Choice(Constraint):
    """The reply is one of these and nothing else."""

    kind: Literal["choice"]
    options: tuple[str, ...] = Field(min_length=2)

    def holds(self, text: str) -> bool:
        return text in self.options

    def lost(self, text: str) -> bool:
        return not any(option.startswith(text) for option in self.options)


class Table(Constraint):
    """One Markdown table with this head and so many rows below it."""

    kind: Literal["table"]
    head: tuple[str, ...] = Field(min_length=1)
    rows: int

    def holds(self, text: str) -> bool:
        found = c.cells(text)
        same = bool(found) and [cell.casefold() for cell in found[0]] == [cell.casefold() for cell in self.head]
        return same and len(found) == self.rows + 1 and all(len(row) == len(self.head) for row in found)


class LastParagraph(Constraint):
    """The last paragraph begins with this, and is not the only one."""

    kind: Literal["last-paragraph"]
    starts: str

    def holds(self, text: str) -> bool:
        found = c.paragraphs(text)
        return len(found) > 1 and found[-1].startswith(self.starts)


class EachParagraph(Constraint):
    """Every paragraph has so many words at most, or so many at least."""

    kind: Literal["each-paragraph"]
    at_least: int = 0
    at_most: int

    def holds(self, text: str) -> bool:
        found = c.paragraphs(text)
        return bool(found) and all(self.at_least <= len(c.words(p)) <= self.at_most for p in found)


class Quoted(Constraint):
    """The whole reply stands between these two marks."""

    kind: Literal["wrapped"]
    left: str
    right: str

    def holds(self, text: str) -> bool:
        room = len(text) > len(self.left) + len(self.right)
        return room and text.startswith(self.left) and text.endswith(self.right)

    def lost(self, text: str) -> bool:
        return not self.left.startswith(text[: len(self.left)])


Check = Annotated[
    Counted
    | Contains
    | Lacks
    | WithoutCharacters
    | Starts
    | Ends
    | Case
    | Json
    | InScript
    | Repeats
    | Decimals
    | Grouped
    | InOrder
    | Initials
    | EveryInitial
    | Sorted
    | Parts
    | Choice
    | Table
    | LastParagraph
    | EachParagraph
    | Quoted,
    Field(discriminator="kind"),
]


def variants(text: str) -> Iterator[str]:
    """The readings of a reply that the loose measure allows: as it is, without emphasis, without a first line (a
    greeting), without a last line (an offer of more), and these together."""
    for plain in dict.fromkeys([text, text.replace("*", "")]):
        rows = plain.strip().split("\n")
        for some in (rows, rows[1:], rows[:-1], rows[1:-1]):
            yield "\n".join(some).strip()


def holds_strictly(check: Constraint, reply: str) -> bool:
    """Does the reply, without its margins, keep the constraint? An empty reply keeps none."""
    text = reply.strip()
    return bool(text) and check.holds(text)


def holds_loosely(check: Constraint, reply: str) -> bool:
    """Does one of the reply's variants keep the constraint? An empty one keeps none."""
    return any(check.holds(text) for text in variants(reply) if text)


def lost_strictly(check: Constraint, reply: str) -> bool:
    """Has a reply that was cut off broken the constraint for good?"""
    return bool(reply.strip()) and check.lost(reply.strip())


def lost_loosely(check: Constraint, reply: str) -> bool:
    """Has every variant of a reply that was cut off broken the constraint for good?"""
    return bool(reply.strip()) and all(check.lost(text) for text in variants(reply))
