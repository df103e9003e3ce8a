"""The embedded model behind an OpenAI-compatible server: a real generator, if a weak one, reached as any other is."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from openai_server import Endpoint

from teachwhy.models.chat import parse_reply
from teachwhy.models.embedded import ensure_embedded
from teachwhy.models.server import Source, Written, ask, scored

_FORM = re.compile(r"\n+Answer in this form and with nothing else(?:, with (\d+) items)?:\n+(.*)\Z", re.DOTALL)
_FIELD = re.compile(r"<([a-z_]+)>([^<]+)</\1>")
_CHOICES = {"a number": [str(number) for number in range(1, 11)], "yes or no": ["yes", "no"]}


def embedded_endpoint(*, at_most: int, end_there: bool = False, keep_form: bool = False) -> Endpoint:
    """An endpoint that serves the embedded model on the local engine; requests that wait together are one batch.

    Args:
        at_most: tokens of a reply, whatever the request says.
        end_there: a reply that is as long is passed off as finished. It is not; but the stages behind it are reached.
        keep_form: where a prompt ends on a form with tags, the server writes the tags and the model what stands between
            them, as servers with guided decoding do. A number, or yes or no, is what the model finds likeliest.
    """
    return Endpoint(lambda messages: "", complete=_completer(at_most, end_there, keep_form))


def _completer(
    at_most: int, end_there: bool, keep_form: bool
) -> Callable[[dict[str, Any]], tuple[dict[str, Any], dict[str, int]]]:
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
        if keep_form and (form := _FORM.search(asked["messages"][-1]["content"])):
            text, used = _in_form(source, wanted, form)
            return {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}, used
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


def _in_form(source: Source, wanted: Written, form: re.Match[str]) -> tuple[str, dict[str, int]]:
    """The form as the prompt gives it, its hints replaced by the model's words; an item as often as is asked for."""
    asked, spent, numbers = form.string[: form.start()], {"read": 0, "written": 0}, count()

    def write(field: re.Match[str]) -> str:
        hint = field[2]
        last = {"role": "user", "content": f"{asked}\n\nWrite only this: {hint}."}
        messages = [*wanted.messages[:-1], last]
        if hint in _CHOICES:
            likely = scored(source, messages, [], _CHOICES[hint]).result()
            text = max(zip(likely, _CHOICES[hint], strict=True), key=lambda pair: sum(pair[0]))[1]
        else:
            answer = ask(source, replace(wanted, messages=messages, seed=wanted.seed + next(numbers))).result()
            spent["read"] += answer.prompt_tokens
            spent["written"] += len(answer.completion.tokens) if answer.completion else 0
            text = answer.completion.text.replace("<", "(") if answer.completion else ""
        if "snake_case" in hint:
            text = "_".join(re.findall("[a-z]+", text.lower())[:3])
        return f"<{field[1]}>{text.strip()}</{field[1]}>"

    text = "\n".join(_FIELD.sub(write, form[2]) for _ in range(int(form[1] or 1)))
    return text, _used(spent["read"], spent["written"])


def _call(number: int, call: Any) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": f"c{number}", "type": "function", "function": function}


def _used(read: int, written: int) -> dict[str, int]:
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
