"""Asking the model under study through Inspect, also where an endpoint answers without any choice."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

from inspect_ai.log import EvalError
from inspect_ai.model import ModelOutput
from inspect_ai.solver import Generate, TaskState

from teachwhy import errors
from teachwhy.hashing import digest, file_digest


async def reply(
    state: TaskState, generate: Generate, tool_calls: Literal["loop", "single", "none"] = "loop", **config: Any
) -> TaskState:
    """What ``generate`` gives. Inspect looks for a message in an output that has none and fails the sample with an
    IndexError; here the output stays as it came, and the scorer says that it is missing and why."""
    try:
        return await generate(state, tool_calls, **config)
    except IndexError:
        if state.output.choices:
            raise
        return state


NO_REPLY = ("error", "filtered")
"""The causes of a missing verdict where there is no reply of the model's own."""


def no_reply(output: ModelOutput) -> tuple[str, str] | None:
    """The cause and reason why there is no reply of the model's own, if so: ``error`` or ``filtered``."""
    if not output.choices:
        return "error", output.error or "the endpoint gave no reply"
    if output.stop_reason == "content_filter":
        return "filtered", "the endpoint's content filter took the reply away"
    if output.error:
        return "error", output.error
    # What Inspect has no word for is a failure: `error` of some servers, a call of Gemini's that could not be read.
    if output.stop_reason == "unknown" and not output.message.tool_calls:
        return "error", "the endpoint ended the reply for a reason that Inspect does not know"
    return None


def why_failed(error: EvalError) -> str:
    """An error's message; for one that only says that retries came to an end, the message of what was tried.

    Inspect keeps an error as Python shows it: one of ours is told as it was meant.
    """
    if (shown := _SHOWN.fullmatch(error.message)) and hasattr(errors, shown[1]):
        return str(ast.literal_eval(shown[2]))
    tried = _RAISED.search(error.traceback) if error.message.startswith("RetryError(") else None
    return tried[0] if tried else error.message


_SHOWN = re.compile(r"(\w+Error)\((['\"].*['\"])\)", re.DOTALL)
_RAISED = re.compile(r"^[\w.]+(?:Error|Exception|Timeout): .+$", re.MULTILINE)


@cache
def serving() -> str:
    """Hash of the code that puts every prompt and tells a reply from none: a part of every result's address."""
    here = Path(__file__).parent
    return digest([file_digest(here / "replies.py"), file_digest(here.parent / "models" / "chat.py")])
