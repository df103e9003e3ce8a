"""Is every record whole, in one language, in characters that are what they should be?"""

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import Self

from teachwhy.corpora.audit.result import Check, share
from teachwhy.corpora.audit.view import View
from teachwhy.corpora.records import Record
from teachwhy.corpora.talk import listed

# With fewer words a language is a guess; with a smaller share of small words no language is known.
_ENOUGH, _SHARE = 25, 0.12
OTHER = "another script"
_LIGHT = "light"
_EXAMPLES = 5

# UTF-8 that was read as Latin-1 or Windows-1252, the replacement character, and what no reader sees.
_MOJIBAKE = re.compile("Ã[\u0080-\u00bf\u2013-\u2122ƒŠŒŽšœžŸ]|Â[\u0080-\u00bf]|â€[\u0080-\uffff]?|ï¿½|ðŸ")
_ODD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ufffe\uffff\ufeff\ue000-\uf8ff\u202a-\u202e\u2066-\u2069]"
)

_ENDED = re.compile(r"[.!?…:;)\]}»”’\"'`*_|>~0-9]\s*$|^\s*$")
_ITEM = re.compile(r"^\s*([-*•#>|]|\d+[.)])")
# A sentence may end in none of these; so one that does is cut off, wherever the line breaks.
_HANGING = frozenset(["the", "a", "an", "and", "or", "of", "to", "but", "because", "with", "from", "that", "which"])
# A line with fewer words is a signature, a title or a line of verse as often as a sentence cut off.
_LINE = 8
# The deck of the stories deals texts that stop so on purpose.
_ON_PURPOSE = "in the middle of things"


@cache
def stop_words() -> dict[str, frozenset[str]]:
    """The commonest small words, by language."""
    lists = listed("stopwords.yaml")
    return {name: frozenset(found) for name, found in lists.items() if name != _LIGHT}


@cache
def grammar() -> frozenset[str]:
    """English words that make no phrase by themselves."""
    return stop_words()["English"] | frozenset(listed("stopwords.yaml")[_LIGHT])


def language(text: str, tokens: list[str]) -> str | None:
    """The language of a text by its small words; None where it is too short or none of the known ones."""
    if len(tokens) < _ENOUGH:
        return OTHER if _other_script(text) else None
    met = Counter(tokens)
    shares = {name: sum(met[w] for w in small if w in met) / len(tokens) for name, small in stop_words().items()}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] >= _SHARE:
        return best
    return OTHER if _other_script(text) else None


def _other_script(text: str) -> bool:
    if text.isascii():
        return False
    letters = [char for char in text if char.isalpha()]
    foreign = sum("LATIN" not in unicodedata.name(char, "LATIN") for char in letters)
    return len(letters) >= _ENOUGH and foreign > len(letters) / 2


def broken_characters(text: str) -> str | None:
    """The first stretch of a text that is mojibake, a replacement, a control or an invisible character, escaped."""
    if text.isascii() and text.isprintable():
        return None
    match = _ODD.search(text) or (None if text.isascii() else _MOJIBAKE.search(text))
    return ascii(text[max(match.start() - 10, 0) : match.end() + 10]) if match else None


def cut_off(record: Record) -> str | None:
    """The end of what is taught, if it stops in mid-sentence. A record that ends in a call does not; lists, headings,
    verse, signatures and short lines are let pass, and what by its card ends in the middle of things."""
    if record.meta.get("ending") == _ON_PURPOSE:
        return None
    if record.text is not None:
        text = record.text
    else:
        last = next(m for m in reversed(record.messages or []) if m["role"] == "assistant")
        if last.get("tool_calls"):
            return None
        text = last.get("content") or ""
    lines = text.rstrip().splitlines() or [""]
    line = lines[-1].strip()
    if _ENDED.search(line) or _ITEM.match(line) or not (line[-1].isalpha() or line[-1] in ",-–—"):
        return None
    tokens = line.split()
    hanging = tokens[-1].lower().rstrip(",-–—") in _HANGING or line[-1] in ",-–—"
    verse = sum(len(other.split()) < 2 * _LINE for other in lines[:-1] if other.strip()) >= 3
    if hanging or len(tokens) >= 2 * _LINE or (len(tokens) >= _LINE and not verse):
        return line[-60:]
    # A short last line after prose, in lower case: a paragraph that had only begun.
    if len(tokens) > 3 and not verse and sum(word[:1].isupper() for word in tokens) * 2 <= len(tokens):
        return line[-60:]
    return None


class Soundness:
    """Language, encoding and ends."""

    names: tuple[str, ...] = ("language", "encoding", "truncated")

    def __init__(self) -> None:
        self.languages: Counter[str] = Counter()
        self.spoken: dict[str, list[str]] = {}
        self.broken: list[str] = []
        self.cut: list[str] = []
        self.count: Counter[str] = Counter()

    def see(self, batch: list[View]) -> None:
        for view in batch:
            if spoken := language(view.taught, view.words):
                self.languages[spoken] += 1
                self._keep(self.spoken.setdefault(spoken, []), f"{view.id}: {spoken}")
            if found := broken_characters(view.whole):
                self.count["encoding"] += 1
                self._keep(self.broken, f"{view.id}: {found}")
            if (end := cut_off(view.record)) is not None:
                self.count["truncated"] += 1
                self._keep(self.cut, f"{view.id}: {end}")

    @staticmethod
    def _keep(examples: list[str], example: str) -> None:
        if len(examples) < _EXAMPLES:
            examples.append(example)

    def merge(self, later: Self) -> None:
        self.languages.update(later.languages)
        self.count.update(later.count)
        self.broken, self.cut = (self.broken + later.broken)[:_EXAMPLES], (self.cut + later.cut)[:_EXAMPLES]
        for spoken, examples in later.spoken.items():
            self.spoken[spoken] = (self.spoken.get(spoken, []) + examples)[:_EXAMPLES]

    def checks(self, records: int) -> list[Check]:
        main = max(self.languages, key=lambda name: (self.languages[name], name), default="")
        others = self.languages.total() - self.languages[main]
        foreign = [
            example for spoken, examples in sorted(self.spoken.items()) if spoken != main for example in examples
        ]
        return [
            share("language", foreign, records, count=others),
            share("encoding", self.broken, records, count=self.count["encoding"]),
            share("truncated", self.cut, records, count=self.count["truncated"]),
        ]
