"""Conversations as tokens, and replies as calls: one rendering for training and for serving.

Messages are Hugging Face ones (``role``, ``content``, ``tool_calls``) and tools are function schemas. A chat template
that knows tools uses its own format. For one that does not, tools are described in the system message and a call is
written as ``<tool_call>{"name": ..., "arguments": {...}}</tool_call>``.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Message = dict[str, Any]
Tool = dict[str, Any]

_PROBE: Tool = {
    "type": "function",
    "function": {
        "name": "probe_tool_qx",
        "description": "A probe.",
        "parameters": {"type": "object", "properties": {"value": {"type": "string"}}, "required": ["value"]},
    },
}


class ChatTokenizer(Protocol):
    """What this module needs of a Hugging Face tokenizer."""

    chat_template: Any

    def apply_chat_template(self, conversation: Any, /, **options: Any) -> Any: ...


@dataclass(frozen=True)
class Call:
    """One tool call as the model wrote it. ``error`` says what is wrong with it, if anything."""

    name: str
    arguments: dict[str, Any]
    error: str | None = None


@dataclass(frozen=True)
class Reply:
    """A reply taken apart: visible text, reasoning inside think tags, and tool calls in order."""

    content: str
    calls: list[Call] = field(default_factory=list)
    reasoning: str | None = None


def template_has_tools(tokenizer: ChatTokenizer) -> bool:
    """Does the tokenizer's chat template show the tools that it is given?"""
    messages = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    text = tokenizer.apply_chat_template(messages, tools=[_PROBE], tokenize=False, add_generation_prompt=True)
    return "probe_tool_qx" in text


def describe_tools(tools: Sequence[Tool]) -> str:
    """Tools for a system message: one line a tool, then how to call."""
    return "\n".join(
        ["Tools:", *map(_describe, tools), 'Call one with <tool_call>{"name": ..., "arguments": {...}}</tool_call>']
    )


def _describe(tool: Tool) -> str:
    function = tool["function"]
    names = ", ".join(function.get("parameters", {}).get("properties", {}))
    about = function.get("description")
    return f"{function['name']}({names})" + (f": {about}" if about else "")


def call_text(name: str, arguments: dict[str, Any]) -> str:
    """A tool call in the format for templates without tools."""
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments}, ensure_ascii=False)}</tool_call>"


def plain_messages(messages: Sequence[Message], tools: Sequence[Tool]) -> list[Message]:
    """The same conversation for a template without tools: described tools, calls as text, results as user turns."""
    plain: list[Message] = [_plain(message) for message in messages]
    if not tools:
        return plain
    # Tools come first: prompts that offer the same ones share their beginning, and the engine computes it once.
    system = plain.pop(0)["content"] if plain and plain[0]["role"] == "system" else ""
    return [{"role": "system", "content": f"{describe_tools(tools)}\n\n{system}".strip()}, *plain]


def _plain(message: Message) -> Message:
    content = message.get("content") or ""
    if message["role"] == "tool":
        return {"role": "user", "content": f"<tool_response>{content}</tool_response>"}
    functions = [call["function"] for call in message.get("tool_calls") or []]
    calls = [call_text(function["name"], function["arguments"]) for function in functions]
    return {"role": message["role"], "content": "\n".join([content, *calls]).strip()}


def render(
    tokenizer: ChatTokenizer, messages: Sequence[Message], tools: Sequence[Tool], *, generation_prompt: bool
) -> list[int]:
    """The conversation as token ids by the model's own chat template."""
    if template_has_tools(tokenizer):
        # Unset keys must stay unset: some templates print a null `tool_calls`.
        conversation, options = [dict(m) for m in messages], {"tools": list(tools) or None}
    else:
        conversation, options = plain_messages(messages, tools), {}
    ids = tokenizer.apply_chat_template(
        conversation, tokenize=True, return_dict=False, add_generation_prompt=generation_prompt, **options
    )
    return list(ids)


def prompt_ids(tokenizer: ChatTokenizer, messages: Sequence[Message], tools: Sequence[Tool]) -> list[int]:
    """What a server feeds the model before it writes: the conversation and the opening of the assistant's turn."""
    return render(tokenizer, messages, tools, generation_prompt=True)


_TAGGED = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)
_XML_CALL = re.compile(r"<function=([\w.-]+)>(.*?)</function>", re.DOTALL)
_XML_ARGUMENT = re.compile(r"<parameter=([\w.-]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_MISTRAL = re.compile(r"\[TOOL_CALLS\]\s*(\[.*\])", re.DOTALL)


def parse_reply(text: str) -> Reply:
    """Take a reply apart. Understands the tagged JSON format, and those of Qwen, Llama 3 and Mistral templates.

    A call that is cut off or malformed is kept with its ``error``; nothing is guessed. What stands before the first
    ``</think>`` is reasoning, also where the prompt opened it, and so is all of a reply that opens it and goes no
    further: a call that was only thought about is none.
    """
    head, closing, rest = text.partition("</think>")
    thought = bool(closing) or head.lstrip().startswith("<think>")
    content, calls = _split_calls(rest if thought else text)
    return Reply(content.strip(), calls, head.lstrip().removeprefix("<think>").strip() if thought else None)


def _split_calls(text: str) -> tuple[str, list[Call]]:
    if "<tool_call>" in text:
        return _TAGGED.sub("", text), [_xml_call(body) or _json_call(body) for body in _TAGGED.findall(text)]
    if listed := _MISTRAL.search(text):
        return text[: listed.start()], _json_calls(listed[1])
    bare = text.replace("<|python_tag|>", "").strip()
    if bare.startswith("{") and '"name"' in bare and ('"parameters"' in bare or '"arguments"' in bare):
        return "", [_json_call(bare)]
    return text, []


def _xml_call(body: str) -> Call | None:
    match = _XML_CALL.search(body)
    return Call(match[1], dict(_XML_ARGUMENT.findall(match[2]))) if match else None


def _json_calls(body: str) -> list[Call]:
    try:
        return [_from_json(value) for value in json.loads(body)]
    except (json.JSONDecodeError, TypeError) as error:
        return [Call("", {}, f"the calls are not a JSON list: {error}")]


def _json_call(body: str) -> Call:
    try:
        return _from_json(json.loads(body, strict=False))
    except json.JSONDecodeError as error:
        return Call("", {}, f"the call is not JSON: {error}")


def _from_json(value: Any) -> Call:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return Call("", {}, "the call has no name")
    arguments = value.get("arguments", value.get("parameters", {}))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments, strict=False)
        except json.JSONDecodeError as error:
            return Call(value["name"], {}, f"the arguments are not JSON: {error}")
    if not isinstance(arguments, dict):
        return Call(value["name"], {}, "the arguments are not an object")
    return Call(value["name"], arguments)
