"""A probe's conversation as numbered pieces: what the judge reads, and where its quotes are looked up."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from inspect_ai.model import ChatMessage, ChatMessageAssistant
from inspect_ai.tool import ToolCall

from teachwhy.evals.assessment.masking import masked
from teachwhy.fence import fenced, mark_of

Speaker = Literal["setup", "user", "target", "tool"]
_SPEAKER: dict[str, Speaker] = {"system": "setup", "user": "user", "assistant": "target", "tool": "tool"}
SILENT = "(says nothing)"


@dataclass(frozen=True)
class Piece:
    """One message: who, and what as text. Reasoning is left out: a verdict rests on what was said and done."""

    by: Speaker
    text: str


def call_text(call: ToolCall) -> str:
    """A tool call as lines that can be read and quoted: the tool, then one argument a line."""
    lines = [f"{key}: {value if isinstance(value, str) else _json(value)}" for key, value in call.arguments.items()]
    return "\n".join([f"[calls {call.function}]", *lines])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def said(message: ChatMessage) -> str:
    """A message's text and calls."""
    calls = message.tool_calls or [] if isinstance(message, ChatMessageAssistant) else []
    return "\n".join([part for part in (message.text.strip(), *map(call_text, calls)) if part]) or SILENT


def pieces_of(messages: Sequence[ChatMessage], model: str = "") -> list[Piece]:
    """The conversation in order, with the names of models masked."""
    return [Piece(_SPEAKER[message.role], masked(said(message), model)) for message in messages]


def shown(pieces: Sequence[Piece], sample: str) -> str:
    """The transcript as the judge reads it: every piece between fences of one mark, made for this sample."""
    mark = mark_of(sample, *(piece.text for piece in pieces))
    return "\n\n".join(
        fenced(piece.text, mark, number=str(number), by=piece.by) for number, piece in enumerate(pieces, start=1)
    )


def target_texts(pieces: Sequence[Piece]) -> list[str]:
    """What the target said and called."""
    return [piece.text for piece in pieces if piece.by == "target"]
