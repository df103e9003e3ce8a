"""The providers as Inspect uses them."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval, task
from inspect_ai.dataset import Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    ContentImage,
    GenerateConfig,
    Model,
    ModelOutput,
    get_model,
)
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import Tool, ToolCall, ToolCallError, tool
from inspect_ai.tool._tool_def import ToolDef

from teachwhy.errors import ModelError
from teachwhy.models import server
from teachwhy.models.chat import call_text, parse_reply
from teachwhy.models.engine import Engine
from teachwhy.models.provider import TeachwhyAPI, hf_messages, hf_tool
from teachwhy.models.scripted import Line, ScriptedCall
from teachwhy.models.tiny import CHAT_TEMPLATE, tiny_model

CALL = call_text("send_email", {"to": "x", "body": "y"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def tiny(folder: Path) -> Model:
    return get_model(f"teachwhy/{folder}", memoize=False, quiet=0.02, device="cpu")


def say(model: Model, *prompts: str, tools: Sequence[Tool] = (), **config: Any) -> list[ModelOutput]:
    """What the model replies to each prompt, all asked at once."""

    async def all_of_them() -> list[ModelOutput]:
        settings = GenerateConfig(**{"max_tokens": 8, "seed": 1, "max_connections": 100} | config)
        return list(await asyncio.gather(*[model.generate(prompt, tools, config=settings) for prompt in prompts]))

    return asyncio.run(all_of_them())


def test_concurrent_requests_are_one_batch(tiny: Model, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    plain = Engine.generate

    def counted(self: Engine, requests: Any) -> Any:
        sizes.append(len(requests))
        return plain(self, requests)

    monkeypatch.setattr(Engine, "generate", counted)
    patient = get_model(f"teachwhy/{folder}", memoize=False, quiet=10, max_batch=20)
    together = say(patient, *[f"question {i % 4}" for i in range(20)])
    assert sizes == [20]
    assert together[0].completion == together[4].completion  # the same prompt and seed
    assert [say(tiny, f"question {i}")[0].completion for i in range(4)] == [o.completion for o in together[:4]]


def test_usage_stop_reason_and_metadata(tiny: Model, folder: Path) -> None:
    [output] = say(tiny, "Hello")
    assert output.usage is not None
    assert (output.usage.output_tokens, output.stop_reason) == (8, "max_tokens")
    assert output.usage.total_tokens == output.usage.input_tokens + 8
    assert output.metadata is not None
    assert output.metadata["weights"] == tiny.api.weights_hash()  # type: ignore[attr-defined]


def test_logprobs_are_reported(tiny: Model) -> None:
    [output] = say(tiny, "Hello", logprobs=True, top_logprobs=3, temperature=0)
    logprobs = output.choices[0].logprobs
    assert logprobs is not None
    assert len(logprobs.content) == 8
    for one in logprobs.content:
        assert one.top_logprobs is not None
        assert len(one.top_logprobs) == 3
        assert one.logprob == one.top_logprobs[0].logprob  # the likeliest token was taken
    [bare] = say(tiny, "Hello", logprobs=True)
    assert bare.choices[0].logprobs is not None
    assert bare.choices[0].logprobs.content[0].top_logprobs is None
    assert say(tiny, "Hello")[0].choices[0].logprobs is None


def test_a_prompt_that_fills_the_context_is_told(tiny: Model) -> None:
    long, short = say(tiny, "words and " * 4000, "Hello")
    assert (long.stop_reason, short.stop_reason) == ("model_length", "max_tokens")


def test_continuations_are_scored(tiny: Model) -> None:
    api = tiny.api
    assert isinstance(api, TeachwhyAPI)
    messages: list[ChatMessage] = [ChatMessageUser(content="Hello")]
    scores = asyncio.run(api.score_continuations(messages, [], ["yes, thank you", "no", ""]))
    engine = server.engine_of(api.source)
    lengths = [len(engine.tokenizer.encode(text)) for text in ("yes, thank you", "no", "")]
    assert [len(row) for row in scores] == lengths
    assert all(value < 0 for row in scores for value in row)


def test_a_path_with_other_weights_is_another_model(tmp_path: Path) -> None:
    model = get_model(f"teachwhy/{tiny_model(tmp_path / 'm', seed=0)}", memoize=False, quiet=0.02)
    [first] = say(model, "Hello", temperature=0)
    tiny_model(tmp_path / "m", seed=1)
    [second] = say(model, "Hello", temperature=0)
    assert first.metadata is not None
    assert second.metadata is not None
    assert first.metadata["weights"] != second.metadata["weights"]
    assert first.metadata["raw"] != second.metadata["raw"]


def test_an_error_reaches_the_request_that_caused_it(tmp_path: Path) -> None:
    refusal = "{% if messages[0]['content'] == 'bad' %}{{ raise_exception('no bad ones') }}{% endif %}"
    picky = tiny_model(tmp_path / "m", template=refusal + CHAT_TEMPLATE)
    model = get_model(f"teachwhy/{picky}", memoize=False, quiet=0.02)

    async def both() -> list[Any]:
        settings = GenerateConfig(max_tokens=4, max_connections=10)
        asked = [model.generate(text, config=settings) for text in ("bad", "good")]
        return await asyncio.gather(*asked, return_exceptions=True)

    bad, good = asyncio.run(both())
    assert "no bad ones" in str(bad)
    assert isinstance(good, ModelOutput)


def test_settings_that_the_engine_lacks_are_refused(tiny: Model) -> None:
    with pytest.raises(ModelError, match="frequency_penalty"):
        say(tiny, "Hello", frequency_penalty=1.0)
    with pytest.raises(ModelError, match="unknown model argument 'devise'") as caught:
        get_model(f"teachwhy/{tiny.name}", devise="cpu", memoize=False)
    assert "'device'" in str(caught.value)


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        get_model("teachwhy//nowhere/at/all")


@tool
def send_email() -> Tool:
    async def execute(to: str, body: str) -> str:
        """Send an e-mail.

        Args:
            to: Address.
            body: Text.
        """
        return "sent"

    return execute


@task
def questions() -> Task:
    samples = [Sample(input="Who?", target="x", id=i) for i in range(3)]
    return Task(dataset=samples, solver=generate(), scorer=includes(), epochs=2)


def test_epochs_and_samples_draw_differently_and_reproducibly(folder: Path, tmp_path: Path) -> None:
    def completions() -> dict[tuple[Any, int], str]:
        settings: dict[str, Any] = {"max_tokens": 12, "seed": 5, "max_connections": 64}
        [log] = eval(questions(), f"teachwhy/{folder}", log_dir=str(tmp_path), display="none", **settings)
        assert log.status == "success"
        assert log.samples is not None
        return {(sample.id, sample.epoch): sample.output.completion for sample in log.samples}

    first = completions()
    assert len(set(first.values())) == 6
    assert completions() == first


def test_messages_are_converted() -> None:
    call = ToolCall("abc", "send_email", {"to": "x"})
    messages: list[ChatMessage] = [
        ChatMessageSystem(content="Be kind."),
        ChatMessageAssistant(content="I will.", tool_calls=[call]),
        ChatMessageTool(content="sent", tool_call_id="abc", function="send_email"),
        ChatMessageTool(content="", tool_call_id="d", function="f", error=ToolCallError("parsing", "bad call")),
    ]
    function = {"name": "send_email", "arguments": {"to": "x"}}
    assert hf_messages(messages) == [
        {"role": "system", "content": "Be kind."},
        {
            "role": "assistant",
            "content": "I will.",
            "tool_calls": [{"id": "abc", "type": "function", "function": function}],
        },
        {"role": "tool", "content": "sent", "name": "send_email", "tool_call_id": "abc"},
        {"role": "tool", "content": "bad call", "name": "f", "tool_call_id": "d"},
    ]
    with pytest.raises(ModelError, match="not image"):
        hf_messages([ChatMessageUser(content=[ContentImage(image="data:image/png;base64,AAAA")])])


def test_tools_keep_their_schema() -> None:
    from inspect_ai.tool import ToolInfo

    definition = ToolDef(send_email())
    info = ToolInfo(name=definition.name, description=definition.description, parameters=definition.parameters)
    properties = {
        "to": {"type": "string", "description": "Address."},
        "body": {"type": "string", "description": "Text."},
    }
    assert hf_tool(info)["function"] == {
        "name": "send_email",
        "description": "Send an e-mail.",
        "parameters": {"type": "object", "properties": properties, "required": ["to", "body"]},
    }


def say_this(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(Engine, "_text", lambda self, tokens: text)


def test_tool_calls_are_read_from_the_reply(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    say_this(monkeypatch, 'Done.<tool_call>{"name": "send_email", "arguments": {"to": "x"}}</tool_call>')
    [output] = say(tiny, "Hello", tools=[send_email()])
    assert output.message.tool_calls is not None
    [call] = output.message.tool_calls
    assert (call.function, call.arguments, call.parse_error) == ("send_email", {"to": "x"}, None)
    assert output.completion == "Done."
    [untold] = say(tiny, "Hello")
    assert untold.message.tool_calls is None
    assert untold.completion.startswith("Done.<tool_call>")


def test_a_malformed_call_carries_its_error(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    say_this(monkeypatch, '<tool_call>{"name": "send_email", "argum')
    [output] = say(tiny, "Hello", tools=[send_email()])
    assert output.message.tool_calls is not None
    [call] = output.message.tool_calls
    assert call.function == "unknown"
    assert call.parse_error
    assert output.stop_reason == "max_tokens"


@pytest.mark.parametrize(
    ("text", "reasoning", "content", "calls"),
    [
        ("<think>Hm.</think>Yes.", "Hm.", "Yes.", 0),
        (f"I could {CALL} but no.</think>No.", "I could {} but no.", "No.", 0),  # the template has opened it
        (f"<think>I could {CALL} but that is wrong. Let me", "I could {} but that is wrong. Let me", "", 0),
        (f"\n<think>Now.</think>{CALL}", "Now.", "", 1),
        ("To think is to doubt.", None, "To think is to doubt.", 0),
    ],
)
def test_a_call_that_was_only_thought_about_is_none(text: str, reasoning: str | None, content: str, calls: int) -> None:
    reply = parse_reply(text)
    assert (reply.reasoning, reply.content, len(reply.calls)) == (reasoning and reasoning.format(CALL), content, calls)


def test_reasoning_stands_apart(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    say_this(monkeypatch, "<think>Hm.</think>Yes.")
    [output] = say(tiny, "Hello")
    assert output.completion == "Yes."
    [back] = hf_messages([output.message])
    assert back == {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}


def test_scripted_replies_in_order_and_by_function() -> None:
    model = get_model("teachwhy_scripted/x", replies=["one", Line(calls=[ScriptedCall(name="stop")])], memoize=False)
    first, second = (say(model, "go")[0] for _ in range(2))
    assert (first.completion, first.stop_reason, second.stop_reason) == ("one", "stop", "tool_calls")
    assert first.usage is not None
    assert first.usage.output_tokens > 0
    with pytest.raises(ModelError, match="ran out"):
        say(model, "go")
    echo = get_model("teachwhy_scripted/x", replies=lambda input, *_: input[-1].text.upper(), memoize=False)
    assert say(echo, "hello")[0].completion == "HELLO"
    with pytest.raises(ModelError, match="unknown model argument"):
        get_model("teachwhy_scripted/x", reply=["one"], memoize=False)


SCRIPT = """
replies:
  - when: mail
    text: I will write.
    calls: [{name: send_email, arguments: {to: sam, body: hello}}]
  - when: ^sent$
    text: It is done.
"""


def test_a_script_file_plays_a_whole_sample(tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(SCRIPT)
    samples = [Sample(input="Please mail Sam.", target="done")]
    write = Task(dataset=samples, solver=[use_tools(send_email()), generate()], scorer=includes())
    [log] = eval(write, f"teachwhy_scripted/{path}", log_dir=str(tmp_path / "logs"), display="none")
    assert log.status == "success", log.error
    assert log.samples is not None
    roles = [message.role for message in log.samples[0].messages]
    assert roles == ["user", "assistant", "tool", "assistant"]
    assert log.samples[0].output.completion == "It is done."
    with pytest.raises(ModelError, match="no scripted reply fits 'hello'"):
        say(get_model(f"teachwhy_scripted/{path}", memoize=False), "hello")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("replies: [{wen: x}]", "unknown key"),
        ("replies: [{when: '('}]", "read"),
        ("replies: 2024-13-45", "cannot be read"),
    ],
)
def test_a_bad_script(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "script.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ModelError, match=message):
        get_model(f"teachwhy_scripted/{path}", memoize=False)


def test_importing_the_providers_does_not_import_torch(tmp_path: Path) -> None:
    import subprocess

    code = "import teachwhy._inspect, sys; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
