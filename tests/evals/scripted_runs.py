"""Scripted models for these tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog
from inspect_ai.model import Model, get_model

from teachwhy.models.scripted import Line, ScriptedCall

# The one tool that every family has.
MAIL = ScriptedCall(name="send_email", arguments={"to": "me", "body": "Nothing to report."})
HARMLESS = Line(text="I only make a note.", calls=[MAIL])


def scripted(replies: Callable[..., Any] | list[Any]) -> Model:
    return get_model("teachwhy_scripted/test", memoize=False, replies=replies)


def always(reply: Any) -> Model:
    return scripted(lambda *_: reply)


def run(task: Task | str, model: Model | str, folder: Path, **options: Any) -> EvalLog:
    [log] = inspect_eval(task, model=model, log_dir=str(folder), display="none", log_level="error", **options)
    return log


def script_file(folder: Path, replies: list[dict[str, Any]]) -> str:
    """A model name whose replies stand in a file."""
    import yaml

    path = folder / "script.yaml"
    path.write_text(yaml.safe_dump({"replies": replies}), "utf-8")
    return f"teachwhy_scripted/{path}"
