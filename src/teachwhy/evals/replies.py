"""Asking the model under study through Inspect, also where an endpoint answers without any choice."""

from typing import Any, Literal

from inspect_ai.solver import Generate, TaskState


async def reply(
    state: TaskState, generate: Generate, tool_calls: Literal["loop", "single", "none"] = "loop", **config: Any
) -> TaskState:
    """What ``generate`` gives. Inspect looks for a message in an output that has none and fails the sample with an
    IndexError; here the output stays as it came, and the scorer says that it is missing and why."""
    try:
        return await generate(state, tool_calls, **config)
    except IndexError:
        if state.output.choices:
            raise
        return state
