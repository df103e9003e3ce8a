"""Inspect's way to the local engine: ``teachwhy/<name or folder>``."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    Content,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    Logprob,
    Logprobs,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    StopReason,
    TopLogprob,
    modelapi,
)
from inspect_ai.tool import ToolCall, ToolChoice, ToolInfo

from teachwhy.errors import ModelError, nearest
from teachwhy.hashing import digest, seed_of
from teachwhy.models.chat import Message, Reply, Tool, parse_reply
from teachwhy.models.folder import weights_hash
from teachwhy.models.registry import find_model, local_folder
from teachwhy.models.server import Answer, Source, Written, ask, scored

_MAX_TOKENS = 2048
_REFUSED = (
    "best_of",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "num_choices",
    "response_schema",
    "prompt_logprobs",
    "extra_body",
    "modalities",
)
"""Settings of Inspect that would change what is written and that the engine does not have."""


@modelapi(name="teachwhy")
def teachwhy() -> type[ModelAPI]:
    """The local engine's provider."""
    return TeachwhyAPI


class TeachwhyAPI(ModelAPI):
    """A local model. Requests that arrive together are decoded together.

    Model arguments: ``device`` (cpu, cuda), ``dtype`` (float32, bfloat16, float16), ``max_batch`` (rows decoded
    together), ``quiet`` (seconds without a new request after which a batch starts).

    Sampling defaults are the model's own distribution: temperature 1, top_p 1, no top_k. The seed of a draw comes from
    the configured seed, the sample and its epoch; without a configured seed each request draws a fresh one.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        device: str | None = None,
        dtype: str | None = None,
        max_batch: int = 64,
        quiet: float = 0.15,
        **others: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config or GenerateConfig())
        if others:
            unknown, known = sorted(others)[0], ["device", "dtype", "max_batch", "quiet"]
            raise ModelError(f"unknown model argument '{unknown}'", where=model_name, mend=nearest(unknown, known))
        folder = local_folder(find_model(f"teachwhy/{model_name}"))
        self.source = Source(folder, device, dtype, int(max_batch), float(quiet))

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        _refuse_unknown_settings(config)
        offered = [] if tool_choice == "none" else tools
        wanted = Written(
            messages=hf_messages(input),
            tools=[hf_tool(tool) for tool in offered],
            max_new_tokens=_MAX_TOKENS if config.max_tokens is None else config.max_tokens,
            seed=_seed(config),
            temperature=1.0 if config.temperature is None else config.temperature,
            top_p=1.0 if config.top_p is None else config.top_p,
            top_k=config.top_k or 0,
            stop=tuple(config.stop_seqs or ()),
            logprobs=(config.top_logprobs or 0) if config.logprobs else None,
        )
        answer = await asyncio.wrap_future(ask(self.source, wanted))
        return self._output(answer, called=bool(offered))

    async def score_continuations(
        self, messages: Sequence[ChatMessage], tools: Sequence[ToolInfo], continuations: Sequence[str]
    ) -> list[list[float]]:
        """The log-probability (nats) of each token of each continuation of the assistant's turn."""
        asked = scored(self.source, hf_messages(messages), [hf_tool(tool) for tool in tools], continuations)
        return await asyncio.wrap_future(asked)

    def weights_hash(self) -> str:
        """Content hash of the weights that are served."""
        return weights_hash(self.source.folder)

    def max_connections(self) -> int:
        return self.source.max_batch

    def connection_key(self) -> str:
        return str(self.source.folder)

    async def count_text_tokens(self, text: str) -> int:
        return len(text) // 3 + 1  # an upper estimate; Inspect's own would fetch a tokenizer over the network

    def _output(self, answer: Answer, *, called: bool) -> ModelOutput:
        """The answer as Inspect wants it. Calls are read only where tools were offered; else they are mere text."""
        if answer.completion is None:
            return ModelOutput.from_content(
                self.model_name, "", stop_reason="model_length", error="the prompt fills the model's context"
            )
        text = answer.completion.text
        reply = parse_reply(text)
        if reply.calls and not called:
            reply = Reply(text.strip())
        made = digest([answer.prompt_tokens, list(answer.completion.tokens)])
        calls = [
            ToolCall(made[i : i + 9], call.name or "unknown", call.arguments, parse_error=call.error)
            for i, call in enumerate(reply.calls)
        ]
        content: str | list[Content] = reply.content
        if reply.reasoning:
            content = [ContentReasoning(reasoning=reply.reasoning), ContentText(text=reply.content)]
        message = ChatMessageAssistant(
            content=content, tool_calls=calls or None, model=self.model_name, source="generate"
        )
        choice = ChatCompletionChoice(
            message=message, stop_reason=_stop_reason(answer, bool(calls)), logprobs=_logprobs(answer)
        )
        said = len(answer.completion.tokens)
        usage = ModelUsage(
            input_tokens=answer.prompt_tokens, output_tokens=said, total_tokens=answer.prompt_tokens + said
        )
        return ModelOutput(
            model=self.model_name,
            choices=[choice],
            usage=usage,
            time=answer.seconds,
            metadata={"weights": answer.weights, "raw": text},
        )


def hf_messages(messages: Sequence[ChatMessage]) -> list[Message]:
    """Inspect's messages as Hugging Face ones.

    Raises:
        ModelError: a message holds an image or another thing that is not text.
    """
    return [_hf_message(message) for message in messages]


def hf_tool(tool: ToolInfo) -> Tool:
    """Inspect's tool as a function schema. What was not set stays unset."""
    parameters = tool.parameters.model_dump(exclude_none=True)
    if parameters.get("additionalProperties") is False:
        del parameters["additionalProperties"]  # Inspect's own addition
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


def _hf_message(message: ChatMessage) -> Message:
    if isinstance(message.content, list):
        strange = [c.type for c in message.content if not isinstance(c, ContentText | ContentReasoning)]
        if strange:
            raise ModelError(f"the local engine reads text, not {strange[0]}", where=f"a {message.role} message")
    plain: Message = {"role": message.role, "content": message.text}
    if message.role == "tool":
        text = message.error.message if message.error is not None else message.text
        return plain | {"content": text, "name": message.function, "tool_call_id": message.tool_call_id}
    if isinstance(message, ChatMessageAssistant):
        if message.tool_calls:
            plain["tool_calls"] = [_hf_call(call) for call in message.tool_calls]
        if isinstance(message.content, list):
            thoughts = [c.reasoning for c in message.content if isinstance(c, ContentReasoning)]
            plain |= {"reasoning_content": "\n".join(thoughts)} if thoughts else {}
    return plain


def _hf_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.function, "arguments": call.arguments}}


def _seed(config: GenerateConfig) -> int:
    """The seed of one request: the configured one, made different for each sample and epoch."""
    if config.seed is None:
        return secrets.randbits(63)
    # Inspect gives every epoch the same configured seed: alone it would make all epochs of a sample identical.
    from inspect_ai.solver._task_state import sample_state

    state = sample_state()
    return seed_of(config.seed, *((str(state.sample_id), state.epoch) if state is not None else ()))


def _refuse_unknown_settings(config: GenerateConfig) -> None:
    for name in _REFUSED:
        value = getattr(config, name)
        if value and (name, value) != ("num_choices", 1):
            raise ModelError(f"the local engine has no '{name}'", where="generate config", mend="leave it out")


def _stop_reason(answer: Answer, called: bool) -> StopReason:
    assert answer.completion is not None
    if answer.completion.finish == "length":
        return "max_tokens"
    return "tool_calls" if called else "stop"


def _logprobs(answer: Answer) -> Logprobs | None:
    done = answer.completion
    if done is None or done.logprobs is None or done.top_logprobs is None:
        return None
    names = answer.names
    return Logprobs(
        content=[
            Logprob(
                token=names[token],
                logprob=logprob,
                top_logprobs=[TopLogprob(token=names[i], logprob=value) for i, value in top] if top else None,
            )
            for token, logprob, top in zip(done.tokens, done.logprobs, done.top_logprobs, strict=True)
        ]
    )
