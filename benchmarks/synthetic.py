"""Synthetic records to measure the audit on: English small words, made-up content words, as many as are wanted.

Content words follow Zipf's law, half of them from the record's topic (of 2,000), so that records of one topic share
words as real ones do. Nothing of it is meant to be read.
"""

import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

VOCABULARY, TOPICS, TOPIC_WORDS, NAMES = 20_000, 2_000, 200, 3_000
_ONSETS = (
    "b",
    "br",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "pr",
    "qu",
    "r",
    "s",
)
_ONSETS += ("sh", "sk", "sl", "st", "t", "th", "tr", "v", "w", "z", "bl", "ch", "fr")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ee", "oo", "ou")
_CODAS = ("", "n", "r", "l", "t", "m", "sh", "ck", "nd", "rt", "st", "ll", "mp", "nt")
_SENTENCES = (
    "The {} {} the {} of the {}, and nobody {} it.",
    "After the {} had {}, we {} {} in the {} {}.",
    "It was {} that {} her, not the {} or the {}.",
    "{} {} are {} when they {} a {}.",
    "You could {} the {} before you {} the {} {}.",
    "There is a {} {} in every {}, he {}, but only one {}.",
    "If they {} {}, then {} would {} as well.",
    "Some {} {} their {} with {} instead of {}.",
    "She {} to {} the {} while the {} {} above her.",
    "What {} most was how {} and {} the {} had been.",
    "Neither the {} nor its {} {} until the {} came.",
    "I have {} {} {} and would {} more for a {}.",
    "On the {} stood two {} {}, each with its own {}.",
    "They {}, {} and {}, which the {} did not {}.",
    "Between {} and {} lies a {} that we {} every {}.",
    "He {} because his {} {} more than any {} {}.",
    "Will the {} {} be {} by a {} like this?",
    "From the {} down to the {} it {} of {} {}.",
    "Most {} {} once and {} again under the {}.",
    "A {} can {} what three {} {} cannot {}.",
)
_NAMED = ("{} {} the {} for {name}.", "So {name} {} it to the {} {}.", "The {} that {name} {} was {}.")


@cache
def vocabulary() -> list[str]:
    """Made-up words, the commonest first."""
    pick = random.Random(20261121)
    made: dict[str, None] = {}
    while len(made) < VOCABULARY + NAMES:
        syllables = [pick.choice(_ONSETS) + pick.choice(_VOWELS) for _ in range(pick.choice((1, 2, 2, 3)))]
        made["".join(syllables) + pick.choice(_CODAS)] = None
    return list(made)


@cache
def _tables() -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
    words, names = vocabulary()[:VOCABULARY], [word.capitalize() for word in vocabulary()[VOCABULARY:]]
    ranks = 1 / (np.arange(VOCABULARY) + 30.0)  # flattened at the top: small words are in the sentences already
    topics = np.random.default_rng(7).integers(0, VOCABULARY, (TOPICS, TOPIC_WORDS))
    return words, names, np.cumsum(ranks / ranks.sum()), topics


def text(number: int) -> str:
    """A text of about 300 words (100 to 500), the same for the same number."""
    words, names, zipf, topics = _tables()
    draw = np.random.default_rng([number, 1])
    count = int(draw.integers(10, 50))
    topic = topics[draw.integers(TOPICS)]
    common = np.searchsorted(zipf, draw.random(count * 8))
    special = topic[draw.integers(0, TOPIC_WORDS, count * 8)]
    content = np.where(draw.random(count * 8) < 0.5, common, special).clip(0, VOCABULARY - 1).tolist()
    kinds, named = draw.integers(0, len(_SENTENCES), count).tolist(), (draw.random(count) < 0.08).tolist()
    made, at = [], 0
    for kind, has_name in zip(kinds, named, strict=True):
        frame = _NAMED[kind % len(_NAMED)] if has_name else _SENTENCES[kind]
        chosen = [words[n] for n in content[at : at + frame.count("{}")]]
        at += len(chosen)
        sentence = frame.format(*chosen, name=names[(number * 31 + at * 7) % NAMES])
        made.append(sentence[0].upper() + sentence[1:])
    return " ".join(made)


def texts(count: int, *, start: int = 0) -> Iterator[str]:
    """So many different texts."""
    return map(text, range(start, start + count))


def write(path: Path, count: int) -> Path:
    """A corpus file of so many clean records."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps({"id": f"made-{number}", "text": text(number)}) + "\n")
    return path
