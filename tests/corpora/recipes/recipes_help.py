"""A scripted generator for recipes: it answers every prompt in the form that the prompt asks for."""

import re
from collections.abc import Callable
from typing import Any

from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelOutput, get_model
from inspect_ai.tool import ToolChoice, ToolInfo

from teachwhy.hashing import digest

Said = Callable[[str, str], str | ModelOutput | None]

WORDS = ("pear", "rope", "ferry", "chalk", "nettle", "gasket", "plum", "tarp", "valve", "quilt", "oat", "lamp")


def prose(seed: str, sentences: int = 3) -> str:
    """A few sentences that differ with the seed."""
    mark = digest(seed)
    words = [WORDS[int(mark[n], 16) % len(WORDS)] for n in range(sentences * 6)]
    groups = [words[n * 6 : n * 6 + 6] for n in range(sentences)]
    return " ".join(" ".join(group).capitalize() + f" {mark[n : n + 6]}." for n, group in enumerate(groups))


def obedient(asked: str) -> str:
    """What a model that keeps to the asked form would say: the tags of the prompt's last lines, filled with prose."""
    form = asked[asked.rfind("Answer in this form") :] if "Answer in this form" in asked else ""
    tags = [tag for tag in re.findall(r"<([a-z_]+)>", form) if tag != "item"]
    if not form:
        return prose(asked)
    filled = "\n".join(f"<{tag}>{'8' if tag == 'score' else prose(asked + tag, 2)}</{tag}>" for tag in tags)
    if "<item>" not in form:
        return filled
    inner = (lambda n: "\n".join(f"<{tag}>{prose(f'{asked}{tag}{n}', 2)}</{tag}>" for tag in tags)) if tags else None
    return "\n".join(f"<item>{inner(n) if inner else prose(f'{asked}{n}', 1)}</item>" for n in range(3))


def writer(said: Said | None = None) -> Model:
    """A model that is obedient, but for prompts of which ``said(system, user)`` says something else."""

    def answer(input: list[ChatMessage], tools: list[ToolInfo], choice: ToolChoice, config: GenerateConfig) -> Any:
        system = "\n".join(m.text for m in input if m.role == "system")
        user = input[-1].text
        other = said(system, user) if said else None
        return obedient(user) if other is None else other

    return get_model("teachwhy_scripted/generator", memoize=False, replies=answer)
