"""Reading a reply without a model: the letter of a choice, an accepted answer in a short reply. Nothing is guessed."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

Rule = Literal["yes", "no", "unclear"]

OPENING = 40
"""Words of a short reply in which its answer is looked for. What stands later may be anything: a list, a doubt."""

_WORD = re.compile(r"\w+")
_DENIALS = frozenset(
    ["not", "no", "never", "neither", "nor", "isnt", "wasnt", "arent", "doesnt", "didnt", "dont", "cannot", "without"]
)
_NEAR = 3
"""Words before an accepted answer in which a denial puts it in doubt."""

_OPEN, _CLOSE = r"[*_`\"'(\[\s]*", r"[*_`\"')\].:]*"
_ALONE = re.compile(rf"{_OPEN}(?:option\s+)?([a-d])[\s]*{_CLOSE}", re.IGNORECASE)
# A letter before its option: "B) ...", "**B.** ...", "(B): ...", "B - ...". "A dog" is no letter A.
_LED = re.compile(
    rf"{_OPEN}(?:[Oo]ption\s+)?([A-D])(?:[*_`]*[)\].:]|[*_`]+\s|\s+[-–]\s|\s+is\s+(?:the\s+)?(?:correct|right|answer)\b)"
)
# A letter that is called the answer, and after which the clause ends. "Answer: A dog" and "answer: A or B" call none.
_SAID = re.compile(
    r"\b(?i:answer|choice|option|letter)\b(?i:\s+is|\s+would\s+be)?[*_`]*\s*[:=]?\s*(?i:option\s+)?"
    rf"{_OPEN}([A-D])(?=[*_`\"')\]]*\s*(?:[.,:;!)\]–-]|$))(?!{_CLOSE}\s*[,/&+]\s*{_OPEN}[A-D]\b)"
)


def letter(reply: str) -> str | None:
    """The one letter, A to D, that a reply gives; None where it gives none, or more than one.

    Tolerated: the letter alone on a line ("b", "(B)", "**B.**", "Option B"), the letter before its option ("B) the
    second"), and a sentence that calls it the answer ("The answer is B.", "Answer: **B**"). Several lines that each
    begin with a letter repeat the options and say nothing.
    """
    lines = [line.strip() for line in reply.splitlines() if line.strip()]
    alone = {match[1].upper() for line in lines if (match := _ALONE.fullmatch(line))}
    called = {match[1] for line in lines for match in _SAID.finditer(line)}
    led = {match[1] for line in lines if (match := _LED.match(line))}
    found = alone | called | (led if len(led) == 1 else set())
    return found.pop() if len(found) == 1 else None


def words(text: str) -> list[str]:
    """The words of a text without case, accents' forms and punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "").replace("'", "")
    return _WORD.findall(folded)


def contains(text: str, phrase: str) -> bool:
    """Do the phrase's words stand in the text, whole and next to one another?"""
    return bool(_places(words(text), words(phrase)))


def _places(said: list[str], phrase: list[str]) -> list[int]:
    return [at for at in range(len(said) - len(phrase) + 1) if phrase and said[at : at + len(phrase)] == phrase]


def short_rule(reply: str, accept: Sequence[str], refuse: Sequence[str] = ()) -> Rule:
    """Does a short reply give an accepted answer?

    ``yes``: one stands in its first words with no denial right before it, and none of the refused ones does.
    ``no``: none stands anywhere. ``unclear``: anything else; a judge has to read it.
    """
    said = words(reply)
    places = [at for phrase in accept for at in _places(said, words(phrase))]
    if not places:
        return "no"
    opening = said[:OPENING]
    early = [at for at in places if at < OPENING]
    rival = any(_places(opening, words(phrase)) for phrase in refuse)
    sound = [at for at in early if not _DENIALS & set(said[max(0, at - _NEAR) : at])]
    return "yes" if sound and not rival else "unclear"
