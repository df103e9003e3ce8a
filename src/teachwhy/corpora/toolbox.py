"""A library of tool definitions and system prompts as operators write them, for contexts that differ."""

from dataclasses import dataclass
from typing import Any

from teachwhy.scenarios.tools import schema, tool_names


@dataclass(frozen=True)
class Operator:
    """A system prompt, and the sectors of tools that go with it."""

    name: str
    sectors: tuple[str, ...]
    text: str


def schemas(sector: str | None = None) -> list[dict[str, Any]]:
    return [schema(name) for name in tool_names()]


def system_prompts() -> list[Operator]:
    return [Operator("desk", ("all",), "You help at a desk.")]
