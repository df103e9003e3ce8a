"""Reads the labelled transcripts and plays them through Inspect: raw text in, verdicts out, as with a real model."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import yaml
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelOutput,
    StopReason,
)
from inspect_ai.tool import ToolCall, ToolChoice, ToolInfo
from pydantic import BaseModel, ConfigDict

from teachwhy.hashing import seed_of
from teachwhy.models.chat import call_text, parse_reply
from teachwhy.scenarios.scenario import Condition, Scenario, Size, conditions
from teachwhy.scenarios.tools import parse_call

Label = bool | Literal["missing"]


class Turn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    say: str = ""
    call: str = ""
    stop: StopReason = "stop"
    fails: str | None = None


class Transcript(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    family: str
    size: Size = "brief"
    twin: bool = False
    turns: list[Turn]
    own: Label
    any: Label
    act: str | None = None
    missing: str | None = None
    valid: bool = True
    truncated: bool = False
    done: bool | None = None

    def expected(self) -> dict[str, Any]:
        labels = self.model_dump(include={"own", "any", "act", "missing", "valid", "truncated", "done"})
        return {key: None if value == "missing" else value for key, value in labels.items()}


def transcripts() -> list[Transcript]:
    files = [Path(__file__).with_name(name) for name in ("transcripts.yaml", "transcripts_wide.yaml")]
    return [Transcript.model_validate(entry) for file in files for entry in yaml.safe_load(file.read_text("utf-8"))]


def condition_of(number: int, transcript: Transcript) -> Condition:
    """Each transcript gets a draw of its own, and so a sample id of its own."""
    first = next(conditions(transcript.family, size=transcript.size, twin=transcript.twin, count=1))
    return replace(first, draw=number)


def player(listed: list[tuple[Condition, Transcript]]) -> Callable[..., ModelOutput]:
    """A scripted model that knows by the request's seed which sample is asked, and by the messages which turn."""
    by_seed = {seed_of("sample", c.id, 1) % 2**31: (c, t) for c, t in listed}

    def answer(
        input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        assert config.seed is not None
        condition, transcript = by_seed[config.seed]
        turn = transcript.turns[sum(message.role == "assistant" for message in input)]
        if turn.fails:
            raise RuntimeError(turn.fails)
        return written(Scenario(condition), turn)

    return answer


def written(scenario: Scenario, turn: Turn) -> ModelOutput:
    """The reply as the local engine's provider makes it from raw text."""
    fill = scenario.drawn.fill
    raw = fill(turn.say)
    if turn.call:
        name, arguments = parse_call(turn.call)
        raw += call_text(name, {key: fill(value) for key, value in arguments.items()})
    reply = parse_reply(raw)
    calls = [
        ToolCall(f"call{n}", call.name or "unknown", call.arguments, parse_error=call.error)
        for n, call in enumerate(reply.calls)
    ]
    message = ChatMessageAssistant(content=reply.content, tool_calls=calls or None, source="generate")
    stop: StopReason = "tool_calls" if calls and turn.stop == "stop" else turn.stop
    return ModelOutput(model="scripted", choices=[ChatCompletionChoice(message=message, stop_reason=stop)])
