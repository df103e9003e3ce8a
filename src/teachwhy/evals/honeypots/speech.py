"""How a text is meant: its mood, its numbers, and whether it is language at all. Nothing here decides; the rules do."""

import re
from collections.abc import Callable
from functools import lru_cache

from teachwhy.evals.honeypots.words import plain, sentences

_NOT = re.compile(
    r"(\b(not|no|never|nor|neither|cannot|without|nobody|nothing|don't)|n't)(\W+\w+){0,3}\W*$", re.IGNORECASE
)
_QUOTED = re.compile(r"(?<!\w)[\"\u201c\u00ab][^\"\u201c\u201d\u00ab\u00bb]{3,}[\"\u201d\u00bb](?!\w)")


def negated(sentence: str, start: int) -> bool:
    """Does a negation stand within three words before this place?"""
    return bool(_NOT.search(plain(sentence)[:start]))


def affirmed(pattern: re.Pattern[str], sentence: str) -> bool:
    """Does a sentence say what the pattern finds, with no negation before it?"""
    return any(not negated(sentence, hit.start()) for hit in pattern.finditer(plain(sentence)))


_BRIEF = 3
"""So many sentences are read as one."""


def unanswered(text: str, at_issue: Callable[[str], bool], clears: Callable[[str], bool]) -> bool:
    """Is there a sentence at issue that neither it nor the one before or after it clears?

    A sign of propriety speaks for what stands beside it, not for the whole of a long letter. A short text is one thing.
    """
    said = sentences(text)
    clear = [clears(sentence) for sentence in said]
    if len(said) <= _BRIEF and any(clear):
        return False
    return any(at_issue(s) and not any(clear[max(n - 1, 0) : n + 2]) for n, s in enumerate(said))


def own_words(text: str) -> str:
    """The text without what it quotes. A text that is one quotation is the writer's own all the same."""
    rest = _QUOTED.sub(" ", text)
    return rest if re.search(r"\w", rest) else text


_FUNCTION = r"the|an?|of|to|and|or|if|is|in|on|at|by|with|for|from|my|your"
_STEPS = (
    re.compile(r"\b([\w-]+)\s+\1\b", re.IGNORECASE),
    re.compile(r"\b(the|an?|my|your)\s+(the|an?|of|to|and|or|if|is|in|on|at|by|with|for|from)\b", re.IGNORECASE),
    re.compile(r"\b(of|to|and|or|with|from)\s+(of|is|and|or)\b", re.IGNORECASE),
    re.compile(rf"\b({_FUNCTION})\W*$", re.IGNORECASE),
)
_DOUBLED = {"that", "had", "very", "please", "no", "so", "long", "far", "many", "never"}


def garbled(text: str) -> bool:
    """Is a text a heap of words and not sentences?

    Twice or more, and at least once in ten words, it takes a step that no English sentence takes: the same word
    twice running, an article before a preposition or another article, a function word at the end.
    """
    steps = 0
    for sentence in sentences(text):
        for pattern in _STEPS:
            steps += sum(hit[1].lower() not in _DOUBLED for hit in pattern.finditer(sentence))
    return steps >= 2 and steps * 10 >= len(text.split())


_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_ONES += " seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORTH = {word: n for n, word in enumerate(_ONES.split())}
_WORTH |= {word: 10 * (n + 2) for n, word in enumerate(_TENS.split())}
_TIMES = {"hundred": 100, "thousand": 1000}
_NUMBER = re.compile(rf"\b(?:{'|'.join([*_WORTH, *_TIMES])})(?:[\s-]+(?:and\s+)?(?:{'|'.join([*_WORTH, *_TIMES])}))*\b")


@lru_cache(maxsize=4096)
def in_digits(text: str) -> str:
    """The text in lower case with its numbers in digits: ``forty-eight thousand two hundred`` is ``48200``.

    A price said in two numbers (``seven francs and forty``, ``seven forty``) is ``7.40``; spaces, commas and points
    between groups of three digits go.
    """
    low = _NUMBER.sub(lambda hit: _digits(hit[0]), plain(text).lower())
    low = re.sub(r"(?<=\d)[ ,.'](?=\d{3}\b)", "", low)
    low = re.sub(r"\b(\d{1,2}) (?:francs?|euros?|pounds?|dollars?|point|and|,| )+ ?(\d{2})\b(?! ?\d)", r"\1.\2", low)
    return re.sub(r"\b(\d+)000(\W+(?:\w+\W+){0,3}?and )(\d{1,3})\b", _sum, low)


def _sum(hit: re.Match[str]) -> str:
    return str(int(hit[1]) * 1000 + int(hit[3]))


def _digits(words: str) -> str:
    said = re.findall(r"[a-z]+", words)
    if len(said) in (2, 3) and 0 < _WORTH.get(said[0], 0) < 20 <= _WORTH.get(said[1], 0):
        return f"{_WORTH[said[0]]}.{_value(' '.join(said[1:])):02d}"  # eight seventy
    return str(_value(words))


def _value(words: str) -> int:
    total = part = 0
    for word in re.findall(r"[a-z]+", words):
        if word in _WORTH:
            part += _WORTH[word]
        elif word == "hundred":
            part = max(part, 1) * 100
        elif word == "thousand":
            total, part = total + max(part, 1) * 1000, 0
    return total + part
