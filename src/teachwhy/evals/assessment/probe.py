"""The probe as an Inspect solver: the auditor plays people and tools, the target answers, nothing is executed."""

from dataclasses import dataclass, field
from typing import Literal

from inspect_ai.model import (
    ChatMessage,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
    get_model,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolCall, ToolCallError, ToolInfo, ToolParams
from inspect_ai.util import StoreModel, apply_limits, store_as, token_limit
from pydantic import Field

from teachwhy.evals.assessment.dimensions import all_dimensions
from teachwhy.evals.assessment.prompts import prompt
from teachwhy.evals.assessment.seeds import WRITTEN, Seed, find_seed
from teachwhy.evals.assessment.transcript import said
from teachwhy.evals.assessment.turns import (
    ARGUMENTS,
    Answer,
    End,
    Malformed,
    Say,
    SetSystem,
    Turn,
    Waiting,
    read_turn,
)
from teachwhy.evals.replies import no_reply
from teachwhy.fence import fenced, mark_of
from teachwhy.hashing import seed_of
from teachwhy.models.reach import RETRIES

AUDITOR = "auditor"
ATTEMPTS = 3
"""How often the auditor may try one turn before the sample ends as missing."""
TARGET_TOKENS, AUDITOR_TOKENS = 2048, 4096

Ended = Literal["auditor", "turns", "messages"]
Missing = Literal["auditor malformed", "auditor refused", "target refused", "target cut off", "error", "cut off"]


class Probe(StoreModel):
    """How a sample's probe went, kept in its Inspect store."""

    ended: Ended | None = None
    """Who or what ended it; None while it runs and where it is missing."""
    missing: Missing | None = None
    reason: str = ""
    sent: int = 0
    """Messages sent as the user."""
    auditor_calls: int = 0
    target_calls: int = 0
    malformed: int = 0
    """Turns of the auditor that had to be taken again."""
    target_tokens: int = Field(default=0)
    """Output tokens of the target."""


@dataclass(frozen=True)
class Ending:
    """The end of a probe: as it should, or missing with its cause."""

    reason: str
    ended: Ended | None = None
    missing: Missing | None = None


@dataclass
class Talk:
    """A running probe: two conversations that share only what the auditor's calls say."""

    seed: Seed
    state: TaskState
    probe: Probe
    turns: int
    messages: int
    temperature: float
    history: list[ChatMessage]
    open: dict[str, ToolCall] = field(default_factory=dict)
    labels: int = 0
    shown: int = 0
    """How many messages of the target's conversation the auditor has seen or written."""

    def waiting(self) -> Waiting:
        unset = self.seed.system is None and not self.state.messages
        return Waiting(system=unset, open=tuple(self.open), begun=self.probe.target_calls > 0)

    def noise(self, who: str, count: int) -> int:
        """A call's sampling seed. It belongs to the sample and not to the model: all arms draw with the same noise."""
        return seed_of("assessment", who, self.state.sample_id, self.state.epoch, count) % 2**31


@solver
def probe(turns: int | None, messages: int, tokens: int, temperature: float) -> Solver:
    """Let the auditor probe the target.

    Args:
        turns: at most this many messages as the user (None: the seed's own number; never more than that).
        messages: at most this many messages in the target's conversation, tool results included.
        tokens: at most this many tokens of auditor and target together, input and output.
        temperature: of the target.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        talk = _begun(state, turns, messages, temperature)
        ending = Ending(f"the probe used up its {tokens:,} tokens", missing="cut off")
        with apply_limits([token_limit(tokens)], catch_errors=True):
            ending = await _converse(talk)
        talk.probe.ended, talk.probe.missing, talk.probe.reason = ending.ended, ending.missing, ending.reason
        return state

    return solve


def _begun(state: TaskState, turns: int | None, messages: int, temperature: float) -> Talk:
    seed = find_seed(state.metadata["seed"])
    allowed = min(turns or seed.meta.turns, seed.meta.turns)
    state.messages = [ChatMessageSystem(content=seed.system)] if seed.system else []
    history: list[ChatMessage] = [
        ChatMessageSystem(content=prompt("auditor", "system")),
        ChatMessageUser(content=_opening(seed, allowed)),
    ]
    return Talk(seed, state, store_as(Probe), allowed, messages, temperature, history)


def _opening(seed: Seed, turns: int) -> str:
    meta, dimensions = seed.meta, all_dimensions()
    if seed.system:
        setup = prompt("auditor", "setup fixed", system=fenced(seed.system, mark_of(seed.system)))
    else:
        setup = prompt("auditor", "setup written", system=seed.sections[WRITTEN])
    return prompt(
        "auditor",
        "opening",
        turns=str(turns),
        sector=meta.sector,
        place=meta.place,
        era=meta.era,
        situation=meta.situation,
        scene=seed.sections["Scene"],
        tools="\n".join(_described(tool) for tool in seed.tools()) or "None.",
        hoped=meta.hoped,
        feared=meta.feared,
        presses="\n".join(f"- {dimensions[name].meta.summary}" for name in meta.presses),
        setup=setup,
    )


def _described(tool: ToolInfo) -> str:
    return f"- {tool.name}({', '.join(tool.parameters.properties)}): {tool.description}"


async def _converse(talk: Talk) -> Ending:
    while True:
        turn = await _auditor_turn(talk)
        ending = turn if isinstance(turn, Ending) else await _carry_out(turn, talk)
        if ending:
            return ending


async def _auditor_turn(talk: Talk) -> Turn | Ending:
    """The auditor's next turn. Turns that had to be taken again leave no trace in its conversation."""
    waiting, failed, why = talk.waiting(), list[ChatMessage](), ""
    for _ in range(ATTEMPTS):
        output = await _auditor_output(talk, waiting, failed)
        if output.stop_reason == "content_filter":
            return Ending("the endpoint's content filter took the auditor's turn away", missing="auditor refused")
        turn = _read(output, waiting)
        if not isinstance(turn, Malformed):
            talk.history.append(output.message)
            return turn
        why = turn.why
        talk.probe.malformed += 1
        failed += [output.message, *_complaint(output, why)]
    return Ending(f"{ATTEMPTS} malformed turns of the auditor, the last: {why}", missing="auditor malformed")


async def _auditor_output(talk: Talk, waiting: Waiting, failed: list[ChatMessage]) -> ModelOutput:
    seed = talk.noise(AUDITOR, talk.probe.auditor_calls)
    config = GenerateConfig(max_tokens=AUDITOR_TOKENS, seed=seed, max_retries=RETRIES)
    auditor = get_model(role=AUDITOR, required=True)
    tools = [_auditor_tool(name) for name in waiting.tools()]
    output = await auditor.generate(talk.history + failed, tools=tools, tool_choice="any", config=config)
    talk.probe.auditor_calls += 1
    return output


def _read(output: ModelOutput, waiting: Waiting) -> Turn | Malformed:
    if output.stop_reason in ("max_tokens", "model_length"):
        return Malformed("it was cut off by the token limit")
    return read_turn(output.message.tool_calls or [], waiting)


def _complaint(output: ModelOutput, why: str) -> list[ChatMessage]:
    """What the auditor is told about a malformed turn, in the form that its calls ask for."""
    text = prompt("auditor", "malformed", why=why)
    calls = output.message.tool_calls or []
    return [_result(call, text) for call in calls] if calls else [ChatMessageUser(content=text)]


def _auditor_tool(name: str) -> ToolInfo:
    described = {key: prompt("auditor", f"argument {key}") for key in ARGUMENTS[name]}
    properties = {key: {"type": "string", "description": text} for key, text in described.items()}
    parameters = ToolParams.model_validate({"properties": properties, "required": list(properties)})
    return ToolInfo(name=name, description=prompt("auditor", f"tool {name}"), parameters=parameters)


def _result(call: ToolCall, text: str) -> ChatMessageTool:
    return ChatMessageTool(content=text, tool_call_id=call.id, function=call.function)


async def _carry_out(turn: Turn, talk: Talk) -> Ending | None:
    match turn:
        case SetSystem(text):
            talk.state.messages.append(ChatMessageSystem(content=text))
            _tell(talk, prompt("auditor", "set"))
        case Say(text):
            talk.state.messages.append(ChatMessageUser(content=text))
            talk.probe.sent += 1
            return await _target_turn(talk)
        case Answer(results):
            talk.state.messages += [_result(talk.open.pop(label), text) for label, text in results]
            if talk.open:
                _tell(talk, prompt("auditor", "still open", open=", ".join(talk.open)))
                return None
            return await _target_turn(talk)
        case End(reason):
            return Ending(reason, ended="auditor")
    return None


def _tell(talk: Talk, text: str) -> None:
    """Answer the auditor's last turn: what it needs to know stands in the result of its last call."""
    calls = getattr(talk.history[-1], "tool_calls", None) or []
    taken = prompt("auditor", "taken")
    talk.history += [_result(call, taken) for call in calls[:-1]] + [_result(call, text) for call in calls[-1:]]


async def _target_turn(talk: Talk) -> Ending | None:
    """The target answers, and the auditor reads it; calls that no tool could take are answered on the spot."""
    while not talk.open:
        if len(talk.state.messages) >= talk.messages:
            return Ending(f"the conversation reached {talk.messages} messages", ended="messages")
        output = await _target_output(talk)
        if lost := _lost(output):
            return lost
        talk.state.messages.append(output.message)
        calls = output.message.tool_calls or []
        _take_calls(talk, calls)
        if not calls:
            break
    return _after(talk)


async def _target_output(talk: Talk) -> ModelOutput:
    target: Model = get_model()
    config = GenerateConfig(
        max_tokens=TARGET_TOKENS, temperature=talk.temperature, seed=talk.noise("target", talk.probe.target_calls)
    )
    output = await target.generate(talk.state.messages, tools=talk.seed.tools(), config=config)
    talk.probe.target_calls += 1
    talk.probe.target_tokens += output.usage.output_tokens if output.usage else 0
    talk.state.output = output
    return output


def _lost(output: ModelOutput) -> Ending | None:
    """Why a reply of the target is not its own or not whole, if so."""
    if output.stop_reason == "content_filter":
        return Ending("the endpoint's content filter took the target's reply away", missing="target refused")
    if output.stop_reason in ("max_tokens", "model_length"):
        return Ending("a reply of the target was cut off by the token limit", missing="target cut off")
    gone = no_reply(output)
    return Ending(gone[1], missing="error") if gone else None


def _take_calls(talk: Talk, calls: list[ToolCall]) -> None:
    """Calls of known tools wait for the auditor under a label; others get the error that any system would give."""
    for call in calls:
        if call.parse_error:
            why = prompt("auditor", "unreadable call", why=call.parse_error)
            talk.state.messages.append(_rejected(call, why))
        elif call.function not in talk.seed.meta.tools:
            talk.state.messages.append(_rejected(call, prompt("auditor", "unknown tool")))
        else:
            talk.labels += 1
            talk.open[str(talk.labels)] = call


def _rejected(call: ToolCall, why: str) -> ChatMessageTool:
    error = ToolCallError(type="parsing", message=why)
    return ChatMessageTool(content=why, tool_call_id=call.id, function=call.function, error=error)


def _after(talk: Talk) -> Ending | None:
    """Show the auditor what the target said and called, unless that was its answer to the last message."""
    if not talk.open and talk.probe.sent >= talk.turns:
        return Ending(f"{talk.probe.sent} messages were sent", ended="turns")
    fresh = [message for message in talk.state.messages[talk.shown :] if message.role == "assistant"]
    talk.shown = len(talk.state.messages)
    text = "\n\n".join(said(message) for message in fresh)
    reply = fenced(text, mark_of(str(talk.state.sample_id), text))
    if talk.open:
        opened = ", ".join(f"{label} ({call.function})" for label, call in talk.open.items())
        _tell(talk, prompt("auditor", "calls", reply=reply, open=opened))
    else:
        _tell(talk, prompt("auditor", "reply", reply=reply, left=str(talk.turns - talk.probe.sent)))
    return None
