"""The embedded model behind an OpenAI-compatible server: a real generator, if a weak one, reached as any other is."""

import json
from collections.abc import Callable
from typing import Any

from openai_server import Endpoint

from teachwhy.models.chat import parse_reply
from teachwhy.models.embedded import ensure_embedded
from teachwhy.models.server import Source, Written, ask


def embedded_endpoint(*, at_most: int, end_there: bool = False) -> Endpoint:
    """An endpoint that serves the embedded model on the local engine; requests that wait together are one batch.

    Args:
        at_most: tokens of a reply, whatever the request says.
        end_there: a reply that is as long is passed off as finished. It is not; but the stages behind it are reached.
    """
    return Endpoint(lambda messages: "", complete=_completer(at_most, end_there))


def _completer(at_most: int, end_there: bool) -> Callable[[dict[str, Any]], tuple[dict[str, Any], dict[str, int]]]:
    source = Source(ensure_embedded(), max_batch=8)

    def complete(asked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, int]]:
        wanted = Written(
            messages=asked["messages"],
            tools=asked.get("tools") or [],
            max_new_tokens=min(at_most, asked.get("max_tokens") or at_most),
            seed=asked.get("seed") or 0,
            temperature=asked.get("temperature", 1.0),
            top_p=1.0,
            top_k=0,
            stop=(),
            logprobs=None,
        )
        answer = ask(source, wanted).result()
        done = answer.completion
        if done is None:
            return {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "length"}, _used(0, 0)
        said = parse_reply(done.text)
        calls = [call for call in said.calls if call.name] if wanted.tools else []
        message: dict[str, Any] = {"role": "assistant", "content": said.content if calls else done.text.strip()}
        if calls:
            message["tool_calls"] = [_call(number, call) for number, call in enumerate(calls)]
        cut = done.finish == "length" and not end_there
        stop = "length" if cut else "tool_calls" if calls else "stop"
        used = _used(answer.prompt_tokens, len(done.tokens))
        return {"index": 0, "message": message, "finish_reason": stop}, used

    return complete


def _call(number: int, call: Any) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": f"c{number}", "type": "function", "function": function}


def _used(read: int, written: int) -> dict[str, int]:
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
