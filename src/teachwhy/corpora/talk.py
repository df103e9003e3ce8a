"""Phrases that teaching text has none of, by what they talk about (talk.yaml)."""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml


@dataclass(frozen=True)
class Phrases:
    """Patterns under one name. ``needs``: letters of which each text that matches has at least one; looking for them
    first is what makes a search fast."""

    name: str
    needs: tuple[str, ...]
    pattern: re.Pattern[str]

    def first(self, text: str) -> str | None:
        """The first stretch of a text that matches, if there is one."""
        lower = text.lower()
        if not any(need in lower for need in self.needs):
            return None
        match = self.pattern.search(text)
        return match[0] if match else None


@cache
def listed(file: str) -> dict[str, Any]:
    """A YAML file of this folder."""
    found: dict[str, Any] = yaml.safe_load(resources.files("teachwhy.corpora").joinpath(file).read_text("utf-8"))
    return found


@cache
def phrases(name: str) -> Phrases:
    """The patterns of talk.yaml under one name: ``tests``, ``rules``, ``refusals`` or ``reasoning``."""
    found = listed("talk.yaml")[name]
    pattern = "|".join(f"(?:{one})" for one in found["patterns"])
    return Phrases(name, tuple(found["needs"]), re.compile(pattern, re.IGNORECASE | re.MULTILINE))


def talk_of_tests(text: str) -> str | None:
    """The first stretch of a text that talks about being tested, evaluated or trained, if there is one."""
    return phrases("tests").first(text)
