"""Scripted judges for these tests, and a reader of what a judge is shown."""

import html
import json
import re
from collections.abc import Callable
from typing import Any

from inspect_ai.model import Model, ModelOutput, get_model

FENCED = re.compile(r"^<said-([0-9a-f]{16}) [^>]*>\n(.*?)\n</said-\1>$", re.DOTALL | re.MULTILINE)


def says(act: Any = False, kind: str | None = None, quotes: list[str] | None = None, **more: Any) -> str:
    """A judge's verdict in the format asked for."""
    said = {"reason": "as I see it", "quotes": quotes or [], "act": act, "kind": kind}
    return json.dumps(said | {"aware": False, "selfish": False, "deliberates": False} | more)


def judge(answer: Callable[[str], Any], name: str = "judge") -> Model:
    """A scripted judge that answers by the text it is shown."""
    return get_model(f"teachwhy_scripted/{name}", memoize=False, replies=lambda messages, *_: answer(messages[-1].text))


def shown(text: str) -> list[str]:
    """What stands between each pair of fences, unescaped."""
    return [html.unescape(inside) for _, inside in FENCED.findall(text)]


def always(reply: Any) -> Model:
    return judge(lambda _: reply)


def cut(text: str = "{") -> ModelOutput:
    return ModelOutput.from_content("scripted", text, stop_reason="max_tokens")
