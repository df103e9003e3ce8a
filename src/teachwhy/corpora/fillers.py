"""Neutral passages of a wanted length: what stands in the place of reasons where only their length is to count."""

import random
import re
from functools import cache
from importlib import resources
from pathlib import Path

from teachwhy.texts import Meta, load_text


class FillerMeta(Meta):
    """Front matter of filler.md."""

    summary: str
    licence: str


@cache
def _fillers() -> tuple[str, ...]:
    path = Path(str(resources.files("teachwhy.corpora"))) / "filler.md"
    return tuple(load_text(path, FillerMeta).sections.values())


def filler_of(words: int, pick: random.Random) -> str:
    """One of the eight neutral passages whose length is nearest to ``words``, cut to whole sentences if longer."""
    near = sorted(_fillers(), key=lambda text: abs(len(text.split()) - words))[:8]
    text = pick.choice(near)
    if len(text.split()) <= 1.5 * words:
        return text
    return re.split(r"(?<=[.!?])\s+", text)[0]
