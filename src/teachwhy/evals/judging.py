"""Asking a judge: the model in Inspect's role ``grader``, one call, one verdict in a fixed form or a cause.

Whatever goes wrong on the judge's side costs this verdict and nothing else: it is missing, with one of ``CAUSES``, and
never a score. What is asked, and what a verdict means, are each suite's own.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import yaml
from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelOutput, get_model, model_roles
from inspect_ai.util import LimitExceededError
from pydantic import BaseModel, ConfigDict, ValidationError

from teachwhy.hashing import digest, file_digest
from teachwhy.texts import read_utf8

ROLE = "grader"
"""Inspect's model role that judges."""

Cause = Literal[
    "judge malformed",
    "quote not found",
    "judge refused",
    "judge cut off",
    "judge timeout",
    "judge rate limit",
    "judge error",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)
"""Why a judge gave no usable verdict: its attrition. That it cannot tell (``unclear``) is a verdict."""

MAX_TOKENS = 4096
"""Room for a judge that reasons before it answers."""

_HERE = Path(str(resources.files("teachwhy.evals")))
_BLOCK = re.compile(r"\s*(?:```(?:json)?\s*)?(\{.*\})\s*(?:```)?\s*", re.DOTALL)
_TOO_MANY = re.compile(r"\b429\b")


class Form(BaseModel):
    """Base of what a judge must answer: exactly these keys, of exactly these types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True)
class Fault:
    """No usable verdict, and why."""

    cause: Cause
    reason: str


F = TypeVar("F", bound=BaseModel)
Check = Callable[[F], Fault | None]
"""What is wrong with a verdict of the right form, if something is: a quote that is not there, a mark not given back."""


def has_grader() -> bool:
    """Has the evaluation that is being made or run a model that judges?"""
    return ROLE in model_roles()


def grader(max_tokens: int = MAX_TOKENS, seed: int | None = None) -> Model:
    """The model that judges: at temperature 0, with 180 s and 5 retries an answer. The settings of the role's own model
    go before these. Without one nothing is judged: the measured model never judges itself.

    Raises:
        PrerequisiteError (Inspect's): no grader was named.
    """
    config = GenerateConfig(temperature=0.0, max_tokens=max_tokens, max_retries=5, attempt_timeout=180, seed=seed)
    return get_model(role=ROLE, required=True, config=config)


async def ask(model: Model, question: str | Sequence[ChatMessage], form: type[F], check: Check[F]) -> F | Fault:
    """Put one question to the judge and read its verdict.

    Args:
        model: what ``grader`` gave.
        form: the verdict's form.
        check: called with a verdict of that form.
    """
    try:
        output = await model.generate(question if isinstance(question, str) else list(question))
    except LimitExceededError:
        raise
    except Exception as error:  # whatever an endpoint raises
        return Fault(cause_of(error), f"the judge could not be asked: {type(error).__name__}: {error}")
    return read(output, form, check)


def read(output: ModelOutput, form: type[F], check: Check[F]) -> F | Fault:
    """A judge's output as a verdict: one JSON object of the form, bare or in a code block, and nothing beside it.

    No word of it is ever taken for a verdict in any other way.
    """
    if fault := _not_whole(output):
        return fault
    said = output.completion
    found = _BLOCK.fullmatch(said)
    if found is None:
        if "{" not in said and refuses(said):
            return Fault("judge refused", f"the judge gave no verdict: {said[:120]!r}")
        return Fault("judge malformed", f"the judge did not answer with one JSON object: {said[:120]!r}")
    try:
        verdict = form.model_validate(json.loads(found[1], object_pairs_hook=_once, parse_constant=_no_number))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        return Fault("judge malformed", f"the judge's verdict breaks the format: {place}: {first['msg']}")
    except (ValueError, RecursionError) as error:  # RecursionError: brackets nested without end
        return Fault("judge malformed", f"the judge's verdict breaks the format: {str(error)[:120]}")
    return check(verdict) or verdict


def _not_whole(output: ModelOutput) -> Fault | None:
    """Why the answer is not the judge's own or not whole, if so."""
    if not output.choices:
        return Fault("judge error", output.error or "the judge gave no answer")
    if output.stop_reason == "content_filter":
        return Fault("judge refused", "the endpoint's content filter took the verdict away")
    if output.stop_reason in ("max_tokens", "model_length"):
        return Fault("judge cut off", "the verdict was cut off by the token limit")
    return Fault("judge error", output.error) if output.error else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


@cache
def _refusals() -> re.Pattern[str]:
    return re.compile("|".join(yaml.safe_load(read_utf8(_HERE / "judging.yaml"))["refuses"]), re.IGNORECASE)


def refuses(text: str) -> bool:
    """Does a text without any verdict decline to give one?"""
    return bool(_refusals().search(text.replace("\u2019", "'")))


def cause_of(error: BaseException) -> Cause:
    """The cause of a call that failed, from the error and what led to it."""
    chain = list(_chain(error))
    names = " ".join(type(e).__name__.lower() for e in chain)
    if "ratelimit" in names or any(getattr(e, "status_code", None) == 429 or _TOO_MANY.search(str(e)) for e in chain):
        return "judge rate limit"
    return "judge timeout" if "timeout" in names else "judge error"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


@cache
def instruments() -> str:
    """Hash of how a judge is asked and read: part of the address of every result that a judge can decide."""
    return digest(
        [file_digest(path) for path in (_HERE.parent / "fence.py", _HERE / "judging.py", _HERE / "judging.yaml")]
    )
