"""Small corpora for the tests."""

import re
from collections.abc import Sequence

from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.records import Record

# Plain sentences, without names.
SENTENCES = (
    "Beets keep their colour when they are roasted whole in foil.",
    "My grandmother rinsed lentils three times and never said why.",
    "A slack chain jumps off as soon as the pedals turn backwards.",
    "Rain came sideways under the porch and soaked both boots.",
    "Put the lid on, count slowly, then turn the heat right down.",
    "Half of the stamps were glued upside down, which pleased nobody.",
    "Oak shrinks across the grain, so leave a gap along that edge.",
    "He whistles flat in the mornings but in tune after lunch.",
    "Two trains cross at the viaduct every evening at ten past six.",
    "The glaze crawled because dust had settled before the firing.",
    "Wool felts when hot water and rubbing meet; cold water is safe.",
    "Nobody could open the jar until someone tapped its rim.",
)


def document(number: int, text: str) -> Record:
    """A record of plain text."""
    return Record(id=f"doc-{number}", text=text)


def conversation(number: int, question: str, answer: str, **meta: str) -> Record:
    """A record of one question and one answer."""
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return Record(id=f"chat-{number}", messages=turns, meta=dict(meta))


def varied(count: int) -> list[Record]:
    """Documents of different lengths, no two alike: every word is marked with the record it stands in."""
    return [document(n, _text(n)) for n in range(count)]


def _text(number: int) -> str:
    chosen = [SENTENCES[(number * 5 + step) % len(SENTENCES)] for step in range(2 + number % 5)]
    mark = "".join(chr(ord("a") + int(digit)) for digit in str(number))
    return re.sub(r"\w+", lambda word: word[0] + mark, " ".join(chosen))


def corpus(records: Sequence[Record], *, dealt: bool = False) -> Corpus:
    """A corpus of these records."""
    return Corpus("planted", "chat", dealt, "For tests.", tuple(records))
