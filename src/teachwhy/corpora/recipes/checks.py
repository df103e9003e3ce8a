"""Checks of generated text by patterns: what stands in it that must not."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources

import yaml

from teachwhy.corpora.firewall import near_any_family
from teachwhy.corpora.stages import Row, RowDropped
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


def clean(variables: Sequence[str], kinds: Sequence[str], *, apart: bool = False) -> Callable[[Row], Sequence[Row]]:
    """Work of a step of code: drops rows in whose variables something of these kinds stands.

    Args:
        apart: also those whose text comes near a scenario family.
    """

    def work(row: Row) -> Sequence[Row]:
        text = "\n".join(str(row[name]) for name in variables)
        if what := found(text, kinds):
            raise RowDropped(what)
        if apart and near_any_family(text):
            raise RowDropped("near a scenario family")
        return [row]

    return work
