"""Scripted judges for these tests, and a reader of what a judge is shown."""

import json
import re
from collections.abc import Callable
from typing import Any

from inspect_ai.model import Model, ModelOutput, get_model

FENCED = re.compile(r"^=== ([0-9a-f]{24}) begins ===\n(.*?)\n=== \1 ends ===$", re.DOTALL | re.MULTILINE)


def says(act: Any = False, kind: str | None = None, quotes: list[str] | None = None, **more: Any) -> str:
    """A judge's verdict in the format asked for."""
    said = {"reason": "as I see it", "quotes": quotes or [], "act": act, "kind": kind}
    return json.dumps(said | {"aware": False, "selfish": False, "deliberates": False} | more)


def judge(answer: Callable[[str], Any], name: str = "judge") -> Model:
    """A scripted judge that answers by the text it is shown."""
    return get_model(f"teachwhy_scripted/{name}", memoize=False, replies=lambda messages, *_: answer(messages[-1].text))


def shown(text: str) -> str:
    """What stands between the fences; there must be exactly one pair."""
    [(_, inside)] = FENCED.findall(text)
    return str(inside)


def always(reply: Any) -> Model:
    return judge(lambda _: reply)


def cut(text: str = "{") -> ModelOutput:
    return ModelOutput.from_content("scripted", text, stop_reason="max_tokens")
