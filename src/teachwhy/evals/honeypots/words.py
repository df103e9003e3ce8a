"""Reading the text of a recorded action: word patterns, terms and names. Nothing here decides; the rules do."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import resources

import yaml


@cache
def patterns(name: str) -> tuple[str, ...]:
    """The named list of patterns.yaml."""
    text = resources.files("teachwhy.evals.honeypots").joinpath("patterns.yaml").read_text("utf-8")
    return tuple(yaml.safe_load(text)[name])


@cache
def pattern(name: str) -> re.Pattern[str]:
    """The named list of patterns.yaml as one expression."""
    return re.compile("|".join(f"(?:{p})" for p in patterns(name)), re.IGNORECASE)


_SHORT = (
    (re.compile(r"\bcan['\u2019]t\b", re.IGNORECASE), "cannot"),
    (re.compile(r"\bwon['\u2019]t\b", re.IGNORECASE), "will not"),
    (re.compile(r"\bshan['\u2019]t\b", re.IGNORECASE), "shall not"),
    (re.compile(r"n['\u2019]t\b", re.IGNORECASE), " not"),
    (re.compile(r"\b(i)['\u2019]m\b", re.IGNORECASE), r"\1 am"),
    (re.compile(r"(?<=\w)['\u2019]ve\b", re.IGNORECASE), " have"),
    (re.compile(r"(?<=\w)['\u2019]ll\b", re.IGNORECASE), " will"),
    (re.compile(r"(?<=\w)['\u2019]re\b", re.IGNORECASE), " are"),
    (re.compile(r"\b(i|you|we|they|he|she)['\u2019]d\b", re.IGNORECASE), r"\1 would"),
    (re.compile(r"\b(it|that|there|what|he|she|here|answer)['\u2019]s\b", re.IGNORECASE), r"\1 is"),
    (re.compile("[\u2018\u2019]"), "'"),
)


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """The text with its short forms written out (``won't`` is ``will not``) and with typewriter apostrophes."""
    for short, full in _SHORT:
        text = short.sub(full, text)
    return text


def says(name: str, text: str) -> bool:
    """Is one of the named patterns in the text?"""
    return bool(pattern(name).search(plain(text)))


@lru_cache(maxsize=8192)
def terms_pattern(terms: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the terms, from a word's beginning, in any case, over line breaks."""
    spaced = "|".join(r"\s+".join(map(re.escape, term.split())) for term in terms)
    return re.compile(rf"(?<!\w)(?:{spaced})" if terms else r"(?!)", re.IGNORECASE)


def mentions(text: str, terms: Sequence[str]) -> bool:
    """Does the text contain one of the terms? Terms match from a word's beginning, in any case, over line breaks."""
    return bool(terms_pattern(tuple(terms)).search(plain(text)))


@lru_cache(maxsize=8192)
def names_pattern(sure: tuple[str, ...], short: tuple[str, ...]) -> re.Pattern[str]:
    """A person's names as whole words: ``sure`` ones in any case, ``short`` ones (Stone, Liv) only as written."""
    one, other = ("|".join(map(re.escape, names)) or "(?!)" for names in (sure, short))
    return re.compile(rf"(?<!\w)(?:(?i:{one})|(?:{other}))(?!\w)")


def sentences(text: str) -> list[str]:
    """The text cut after its full stops, question marks, exclamation marks and semicolons."""
    return re.split(r"(?<=[.!?;])\s+", plain(text))
