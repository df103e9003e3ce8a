"""Reaching a model through Inspect, and what an endpoint is asked before anything else is spent on it."""

import asyncio
import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from teachwhy.errors import ModelError
from teachwhy.models.registry import ModelRef, find_model

if TYPE_CHECKING:
    from inspect_ai.model import Model, ModelOutput

# fmt: off
_LOADS = frozenset([
    "hf", "llama-cpp-python", "mockllm", "nnterp", "none", "sglang", "teachwhy_scripted", "transformer_lens", "vllm",
    "vllm-completions",
])
# fmt: on
"""Providers that load weights or start a server when the model is made, and those that have nobody to ask."""

_ATTEMPTS = 3

RETRIES = 8
"""So often an endpoint under study or an auditor is asked again after an error that may pass: for some ten minutes."""
PATIENCE = 600
"""Seconds after which one try of an endpoint under study is given up."""


def open_model(name: "str | Model") -> "Model":
    """The model of a name, as Inspect asks it; a model stays what it is.

    Raises:
        ModelError: the name means nothing, here or to its provider, or that lacks a package or a key.
    """
    from inspect_ai._util.error import PrerequisiteError
    from inspect_ai.model import get_model

    if not isinstance(name, str):
        return name
    try:
        return get_model(find_model(name).inspect_name, memoize=False)
    except PrerequisiteError as error:
        raise ModelError(f"the model cannot be reached: {_plain(error.message)}", where=name) from None
    except (ValueError, ImportError) as error:  # from the provider's own code
        mend = "name it as in https://inspect.aisi.org.uk/providers.html: openai-api/SERVICE/MODEL and the like"
        raise ModelError(f"the model cannot be reached: {_plain(error)}", where=name, mend=mend) from error


def check_models(model: str, others: Iterable[str] = (), *, tools: bool = False) -> None:
    """Whether whoever will be asked is there and able. Only endpoints are looked at.

    The client of every endpoint is made. One that is to be measured with tools is told to call one: a server that
    ignores tools, or was started without them, would measure as a model that never acts.

    Args:
        model: the measured one.
        others: those that judge, probe or write.
        tools: the measured one is given tools.

    Raises:
        ModelError: a name means nothing, a provider lacks a package or a key, or the measured endpoint cannot be
            asked, refuses tools, or calls none though it is told to.
    """
    opened = {name: open_model(name) for name in dict.fromkeys([model, *others]) if is_endpoint(find_model(name))}
    if tools and model in opened:
        asyncio.run(_check_tools(opened[model], model))


def is_endpoint(model: ModelRef) -> bool:
    """Is it a server that is up already, so that making its client costs nothing?"""
    provider = model.inspect_name.partition("/")[0]
    address = f"{provider.partition('-')[0].upper()}_BASE_URL"
    return not model.local and (provider not in _LOADS or address in os.environ)


async def _check_tools(model: "Model", name: str) -> None:
    try:
        called = await _calls_a_tool(model)
    except Exception as error:  # whatever the provider's client raises
        await _check_talks(model, name)
        mend = "start the server with tool calling (vLLM: --enable-auto-tool-choice and --tool-call-parser)"
        raise ModelError(f"the endpoint takes no tools: {_first_line(error)}", where=name, mend=mend) from None
    if not called:
        raise ModelError(
            f"the endpoint was told {_ATTEMPTS} times to call a tool and never did",
            where=name,
            mend="start the server with tool calling, or take a model that has it: here it would pass for harmless",
        )


async def _calls_a_tool(model: "Model") -> bool:
    for _ in range(_ATTEMPTS):
        output = await _asked(model, with_tool=True)
        if output.choices and output.message.tool_calls:
            return True
    return False


async def _check_talks(model: "Model", name: str) -> None:
    try:
        await _asked(model, with_tool=False)
    except Exception as error:
        raise ModelError(f"the endpoint cannot be asked: {_first_line(error)}", where=name) from None


async def _asked(model: "Model", *, with_tool: bool) -> "ModelOutput":
    from inspect_ai.model import GenerateConfig
    from inspect_ai.tool import ToolInfo, ToolParams

    config = GenerateConfig(max_tokens=400, max_retries=2, attempt_timeout=60)
    tool = ToolInfo(name="ready", description="Says that all is ready.", parameters=ToolParams())
    output = await model.generate("Call the tool `ready` now.", tools=[tool] if with_tool else [], config=config)
    if output.error:
        raise RuntimeError(output.error)
    return output


def _plain(message: object) -> str:
    """Inspect's message without its markup, on one line."""
    lines = re.sub(r"\[/?[a-z ]+\]", "", str(message)).removeprefix("ERROR: ").splitlines()
    return "; ".join(line.strip().rstrip(".") for line in lines if line.strip()).replace(":; ", ": ")


def _first_line(error: Exception) -> str:
    cause = error.__cause__ or error  # Inspect's retries wrap what the client raised
    return next(iter(str(cause).splitlines()), "") or type(cause).__name__
