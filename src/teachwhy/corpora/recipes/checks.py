"""Checks of generated text by patterns: what stands in it that must not."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources

import yaml

from teachwhy.corpora.stages import Row
from teachwhy.errors import nearest


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    text = resources.files("teachwhy.corpora.recipes").joinpath("checks.yaml").read_text("utf-8")
    lists: dict[str, list[str]] = yaml.safe_load(text)
    return {name: re.compile("|".join(f"(?:{p})" for p in listed), re.IGNORECASE) for name, listed in lists.items()}


def found(text: str, kinds: Sequence[str]) -> str | None:
    """The first thing of these kinds (dates, links, ...) in a text, as ``kind: words``; None if there is none."""
    for kind in kinds:
        if kind not in _patterns():
            raise KeyError(f"no check '{kind}': {nearest(kind, _patterns())}")
        if match := _patterns()[kind].search(text):
            return f"{kind}: {match[0]}"
    return None


def clean(variable: str, kinds: Sequence[str]) -> Callable[[Row], Sequence[Row]]:
    """Work of a step of code: drops rows in whose ``variable`` something of these kinds stands."""
    return lambda row: [] if found(row[variable], kinds) else [row]
