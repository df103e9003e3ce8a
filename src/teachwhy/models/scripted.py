"""A model that says what it is told to: for tests and demonstrations, without weights, tokenizer or network."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.tool import ToolCall, ToolChoice, ToolInfo
from pydantic import BaseModel, ConfigDict, Field

from teachwhy.errors import ModelError, nearest
from teachwhy.hashing import digest
from teachwhy.texts import validated


class Line(BaseModel):
    """One reply: text, tool calls, or both. In a file, ``when`` (a regular expression) chooses it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    when: str = ""
    text: str = ""
    calls: list["ScriptedCall"] = Field(default_factory=list)


class ScriptedCall(BaseModel):
    """A tool call of a scripted reply."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Script(BaseModel):
    """A file of replies: the first whose ``when`` is found in the last message is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    replies: list[Line]


Reply = str | Line | ModelOutput
Answer = Callable[[list[ChatMessage], list[ToolInfo], ToolChoice, GenerateConfig], Reply]


class ScriptedAPI(ModelAPI):
    """Inspect model ``teachwhy_scripted/<file.yaml>`` or, in Python, with ``replies=``: a function or a list.

    A function gets what ``generate`` gets. A list is given out in order, and running out of it is an error.
    Usage counts characters / 4, so that Inspect never asks a tokenizer.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        replies: Answer | Iterable[Reply] | None = None,
        **others: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config or GenerateConfig())
        if others:
            unknown = sorted(others)[0]
            raise ModelError(
                f"unknown model argument '{unknown}'", where=model_name, mend=nearest(unknown, ["replies"])
            )
        self._answer = _from_file(Path(model_name)) if replies is None else _from_replies(replies)

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        reply = self._answer(input, tools, tool_choice, config)
        output = reply if isinstance(reply, ModelOutput) else self._output(reply, input)
        if output.usage is None:
            output.usage = _usage(input, output)
        return output

    def _output(self, reply: str | Line, input: list[ChatMessage]) -> ModelOutput:
        line = Line(text=reply) if isinstance(reply, str) else reply
        made = digest([message.text for message in input])[:8]
        calls = [ToolCall(f"{made}{i}", call.name, call.arguments) for i, call in enumerate(line.calls)]
        message = ChatMessageAssistant(
            content=line.text, tool_calls=calls or None, model=self.model_name, source="generate"
        )
        return ModelOutput.from_message(message, "tool_calls" if calls else "stop")

    async def count_text_tokens(self, text: str) -> int:
        return _count(text)

    def connection_key(self) -> str:
        return self.model_name


@modelapi(name="teachwhy_scripted")
def teachwhy_scripted() -> type[ModelAPI]:
    """The scripted provider."""
    return ScriptedAPI


def _count(text: str) -> int:
    return len(text) // 4 + 1


def _usage(input: list[ChatMessage], output: ModelOutput) -> ModelUsage:
    asked = sum(_count(message.text) for message in input)
    calls = [call for choice in output.choices for call in choice.message.tool_calls or []]
    said = _count(output.completion) + sum(_count(f"{call.function}{call.arguments}") for call in calls)
    return ModelUsage(input_tokens=asked, output_tokens=said, total_tokens=asked + said)


def _from_replies(replies: Answer | Iterable[Reply]) -> Answer:
    if callable(replies):
        return replies
    left = iter(replies)

    def answer(*_: Any) -> Reply:
        try:
            return next(left)
        except StopIteration:
            raise ModelError("the scripted replies ran out", mend="give more replies, or a function") from None

    return answer


def _from_file(path: Path) -> Answer:
    """Replies by the last message.

    Raises:
        ModelError: the file is missing, is not a script, or has no reply for a message.
    """
    try:
        script = validated(Script, yaml.safe_load(path.read_text("utf-8")), where=path, error=ModelError)
        patterns = [(re.compile(line.when, re.DOTALL), line) for line in script.replies]
    except (OSError, ValueError, yaml.YAMLError, re.error) as error:  # ValueError: not UTF-8, or no such date
        mend = "name a YAML file: `replies:`, each with `when` (a pattern), `text` and `calls`"
        raise ModelError(f"the script cannot be read: {error}", where=path, mend=mend) from None

    def answer(input: list[ChatMessage], *_: Any) -> Reply:
        said = input[-1].text
        found = next((line for pattern, line in patterns if pattern.search(said)), None)
        if found is None:
            raise ModelError(f"no scripted reply fits '{said[:80]}'", where=path, mend="add a reply without `when`")
        return found

    return answer
