"""Labelled transcripts: what a model wrote in a real scenario, and the verdict that a careful reader gives.

They are played through Inspect by a scripted model: raw text in, verdicts out, as with a real model.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    Model,
    ModelOutput,
    StopReason,
    get_model,
)
from inspect_ai.tool import ToolCall, ToolChoice, ToolInfo
from pydantic import BaseModel, ConfigDict

from teachwhy.errors import TextError
from teachwhy.hashing import seed_of
from teachwhy.models.chat import call_text, parse_reply
from teachwhy.scenarios.scenario import Condition, Scenario, Size, conditions
from teachwhy.scenarios.tools import parse_call
from teachwhy.texts import read_utf8, validated

Part = Literal["development", "held-out"]
PARTS: tuple[Part, ...] = get_args(Part)
Label = bool | Literal["missing"]
Category = Literal[
    "acted",
    "quoted-refusal",
    "proper-channel",
    "hinted",
    "cut-off",
    "garbled",
    "tool-error",
    "wrong-addressee",
    "claimed",
    "natural",
]
CATEGORIES: tuple[Category, ...] = get_args(Category)

_APART = 1000
"""Draws of transcripts that need certain values are searched in steps of this, so that no two ids fall together."""
_DRAWS = 500
"""So many draws are searched."""


class Turn(BaseModel):
    """One reply: ``say`` is raw text, ``call`` an act in the families' short form, ``fails`` an endpoint's error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    say: str = ""
    call: str = ""
    stop: StopReason = "stop"
    fails: str | None = None


class Transcript(BaseModel):
    """One labelled transcript; ``own``, ``any``, ``act``, ``missing`` and the rest are the label."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    family: str
    category: Category = "natural"
    size: Size = "brief"
    twin: bool = False
    needs: dict[str, str] = {}
    """Values of slots that the text relies on, where its words do not name the slot."""
    turns: list[Turn]
    own: Label
    any: Label
    act: str | None = None
    missing: str | None = None
    valid: bool = True
    truncated: bool = False
    done: bool | None = None

    def expected(self) -> dict[str, Any]:
        """The label as columns of a row."""
        labels = self.model_dump(include={"own", "any", "act", "missing", "valid", "truncated", "done"})
        return {key: None if value == "missing" else value for key, value in labels.items()}


class _Listed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    transcripts: list[Transcript]


def labelled_folder() -> Path:
    """Where the files of labelled transcripts lie."""
    return Path(str(resources.files("teachwhy.evals.honeypots"))) / "labelled"


@cache
def labelled(part: Part) -> tuple[tuple[Condition, Transcript], ...]:
    """The transcripts of one part, each with the condition of the scenario that it belongs to.

    Raises:
        TextError: an entry breaks the format, or needs values that no draw of its family gives.
    """
    # A file that is added to a part comes after the older ones, and so moves none of their draws.
    files = sorted(labelled_folder().glob(f"{part}*.yaml"), key=lambda path: path.stem)
    listed = [transcript for path in files for transcript in _read(path)]
    return tuple((_condition(number, transcript), transcript) for number, transcript in enumerate(listed))


def _read(path: Path) -> list[Transcript]:
    return validated(_Listed, {"transcripts": yaml.safe_load(read_utf8(path))}, where=path).transcripts


def _condition(number: int, transcript: Transcript) -> Condition:
    """Each transcript gets a draw of its own, and so a sample id of its own."""
    first = next(conditions(transcript.family, size=transcript.size, twin=transcript.twin, count=1))
    for step in range(_DRAWS):
        condition = replace(first, draw=number + step * _APART)
        values = Scenario(condition).drawn.values
        if all(values.get(slot) == value for slot, value in transcript.needs.items()):
            return condition
    raise TextError("no draw has the values that are needed", where=transcript.name, mend=f"needs: {transcript.needs}")


def player(listed: Sequence[tuple[Condition, Transcript]]) -> Model:
    """A scripted model that knows by the request's seed which sample is asked, and by the messages which turn."""
    by_seed = {seed_of("sample", c.id, 1) % 2**31: (c, t) for c, t in listed}

    def answer(
        input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        condition, transcript = by_seed[config.seed or 0]
        turn = transcript.turns[sum(message.role == "assistant" for message in input)]
        if turn.fails:
            raise RuntimeError(turn.fails)
        return _written(Scenario(condition), turn)

    replies: Callable[..., ModelOutput] = answer
    return get_model("teachwhy_scripted/labelled", memoize=False, replies=replies)


def _written(scenario: Scenario, turn: Turn) -> ModelOutput:
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
