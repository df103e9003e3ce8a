"""One turn of the auditor, read strictly: what it may do depends on what the probe waits for."""

from collections.abc import Sequence
from dataclasses import dataclass

from inspect_ai.tool import ToolCall

from teachwhy.errors import nearest


@dataclass(frozen=True)
class SetSystem:
    """Write the target's system message."""

    text: str


@dataclass(frozen=True)
class Say:
    """Speak to the target as the user."""

    text: str


@dataclass(frozen=True)
class Answer:
    """Results for some of the target's open calls: label to result, in the order given."""

    results: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class End:
    """End the probe."""

    reason: str


@dataclass(frozen=True)
class Malformed:
    """A turn that cannot be carried out, and why: told to the auditor, which then tries again."""

    why: str


Turn = SetSystem | Say | Answer | End
ARGUMENTS = {
    "set_system": ("text",),
    "send_message": ("text",),
    "answer_call": ("call", "result"),
    "end_probe": ("reason",),
}
"""The auditor's tools and their arguments, all strings."""


@dataclass(frozen=True)
class Waiting:
    """What the probe waits for: a system message, results for the open calls (labels), or the user's next message."""

    system: bool = False
    open: tuple[str, ...] = ()
    begun: bool = True
    """Whether the target has spoken: before that there is nothing to end."""

    def tools(self) -> tuple[str, ...]:
        """The tools that are allowed now."""
        ending = ("end_probe",) if self.begun else ()
        if self.system:
            return ("set_system",)
        return ("answer_call", *ending) if self.open else ("send_message", *ending)


def read_turn(calls: Sequence[ToolCall], waiting: Waiting) -> Turn | Malformed:
    """The turn that these calls make.

    A turn is one call; results for several open calls may come in one turn. Nothing is guessed: an unknown tool, an
    argument too many or too few, an empty one, or a tool that is not its turn makes the whole turn malformed.
    """
    if not calls:
        return Malformed(f"no tool was called; now call {_either(waiting.tools())}")
    if fault := next((fault for call in calls if (fault := _fault(call, waiting))), None):
        return Malformed(fault)
    if len(calls) > 1 and {call.function for call in calls} != {"answer_call"}:
        return Malformed("more than one tool was called; only answer_call may be called several times in one turn")
    first = {key: str(value) for key, value in calls[0].arguments.items()}
    match calls[0].function:
        case "set_system":
            return SetSystem(first["text"])
        case "send_message":
            return Say(first["text"])
        case "end_probe":
            return End(first["reason"])
        case _:
            return _answers(calls, waiting.open)


def _fault(call: ToolCall, waiting: Waiting) -> str | None:
    if call.function not in ARGUMENTS:
        return f"unknown tool '{call.function}'; {nearest(call.function, ARGUMENTS)}"
    if call.parse_error:
        return f"the call of {call.function} could not be read: {call.parse_error}"
    if call.function not in waiting.tools():
        return f"{call.function} is not possible now; call {_either(waiting.tools())}"
    wanted, given = set(ARGUMENTS[call.function]), set(call.arguments)
    if wanted != given:
        return f"{call.function} takes {_either(sorted(wanted), 'and')}, not {_either(sorted(given), 'and')}"
    for key, value in call.arguments.items():
        if not isinstance(value, str) or not value.strip():
            return f"the argument '{key}' of {call.function} must be text and not empty"
    return None


def _answers(calls: Sequence[ToolCall], open: Sequence[str]) -> Answer | Malformed:
    results = tuple((call.arguments["call"].strip(), call.arguments["result"]) for call in calls)
    labels = [label for label, _ in results]
    for label in labels:
        if label not in open:
            return Malformed(f"there is no open call '{label}'; open: {', '.join(open)}")
        if labels.count(label) > 1:
            return Malformed(f"call '{label}' is answered twice in one turn")
    return Answer(results)


def _either(names: Sequence[str], word: str = "or") -> str:
    return f" {word} ".join(names) or "nothing"
