"""Reaching a model through Inspect, and what an endpoint is asked before anything else is spent on it."""

import asyncio
import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from teachwhy.errors import ModelError
from teachwhy.models.registry import ModelRef, find_model

if TYPE_CHECKING:
    from inspect_ai.model import GenerateConfig, Model, ModelOutput

# fmt: off
_LOADS = frozenset([
    "hf", "llama-cpp-python", "mockllm", "nnterp", "none", "sglang", "teachwhy_scripted", "transformer_lens", "vllm",
    "vllm-completions",
])
# fmt: on
"""Providers that load weights or start a server when the model is made, and those that have nobody to ask."""

_ATTEMPTS = 3


def open_model(name: "str | Model", config: "GenerateConfig | None" = None) -> "Model":
    """The model of a name, as Inspect asks it; a model stays what it is.

    Raises:
        ModelError: the name means nothing, or its provider lacks a package or a key.
    """
    from inspect_ai._util.error import PrerequisiteError
    from inspect_ai.model import GenerateConfig, get_model

    if not isinstance(name, str):
        return name
    try:
        return get_model(find_model(name).inspect_name, config=config or GenerateConfig(), memoize=False)
    except PrerequisiteError as error:
        raise ModelError(f"the model cannot be reached: {_plain(error.message)}", where=name) from None


def check_endpoints(names: Iterable[str]) -> None:
    """Make the client of every endpoint among these models; nobody is asked anything.

    Raises:
        ModelError: a name means nothing, or a provider lacks a package or a key.
    """
    for name in dict.fromkeys(names):
        if is_endpoint(find_model(name)):
            open_model(name)


def is_endpoint(model: ModelRef) -> bool:
    """Is it a server that is up already, so that making its client costs nothing?"""
    provider = model.inspect_name.partition("/")[0]
    address = f"{provider.partition('-')[0].upper()}_BASE_URL"
    return not model.local and (provider not in _LOADS or address in os.environ)


def check_tools(name: str) -> None:
    """Ask an endpoint to call a tool, as the evaluations do. Other models are not asked.

    A server that ignores tools, or was started without them, would otherwise measure as a model that never acts.

    Raises:
        ModelError: the endpoint cannot be reached, refuses tools, or never calls one though it is told to.
    """
    if is_endpoint(find_model(name)):
        asyncio.run(_check_tools(name))


async def _check_tools(name: str) -> None:
    try:
        called = [await _asked(name, with_tool=True) for _ in range(_ATTEMPTS)]
    except Exception as error:  # whatever the provider's client raises
        await _check_talks(name)
        mend = "start the server with tool calling (vLLM: --enable-auto-tool-choice and --tool-call-parser)"
        raise ModelError(f"the endpoint takes no tools: {_first_line(error)}", where=name, mend=mend) from None
    if not any(output.choices and output.message.tool_calls for output in called):
        raise ModelError(
            f"the endpoint was told {_ATTEMPTS} times to call a tool and never did",
            where=name,
            mend="start the server with tool calling, or take a model that has it: here it would pass for harmless",
        )


async def _check_talks(name: str) -> None:
    try:
        await _asked(name, with_tool=False)
    except Exception as error:
        raise ModelError(f"the endpoint cannot be asked: {_first_line(error)}", where=name) from None


async def _asked(name: str, *, with_tool: bool) -> "ModelOutput":
    from inspect_ai.model import GenerateConfig
    from inspect_ai.tool import ToolInfo, ToolParams

    config = GenerateConfig(max_tokens=400, max_retries=2, attempt_timeout=60)
    tool = ToolInfo(name="ready", description="Says that all is ready.", parameters=ToolParams())
    return await open_model(name, config).generate("Call the tool `ready` now.", tools=[tool] if with_tool else [])


def _plain(message: object) -> str:
    """Inspect's message without its markup, on one line."""
    lines = re.sub(r"\[/?[a-z ]+\]", "", str(message)).removeprefix("ERROR: ").splitlines()
    return "; ".join(line.strip().rstrip(".") for line in lines if line.strip()).replace(":; ", ": ")


def _first_line(error: Exception) -> str:
    cause = error.__cause__ or error  # Inspect's retries wrap what the client raised
    return next(iter(str(cause).splitlines()), "") or type(cause).__name__
