"""A judge's verdict on one reply, through Inspect's grader role.

The judge sees the request, what is to be known about it, and the reply, fenced and escaped; never the model or the arm.
Its answer is one JSON object of a fixed form. What is anything else is missing with its cause.
"""

import json
import re
from collections.abc import Mapping
from functools import cache

from inspect_ai.model import (
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
    get_model,
    model_roles,
)
from pydantic import BaseModel, ConfigDict, ValidationError

from teachwhy.errors import UserError
from teachwhy.evals.capability.common import ROOT, Reading, cut_off, fenced, fill, missing
from teachwhy.evals.capability.readings import Verdict, opens_with_refusal
from teachwhy.texts import Meta, Text, load_text

ROLE = "grader"
_SECONDS = 180  # a judge that takes longer is counted as missing, and the others need not wait
_RETRIES = 3
_MAX_TOKENS = 2048  # room for a judge that reasons first

_FENCE = re.compile(r"\A```(?:json)?[ \t]*\n(.*)\n```\Z", re.DOTALL)


class Rubric(Meta):
    """Front matter of a rubric: what it judges."""

    title: str
    judges: str


class Ruling(BaseModel):
    """What a judge must answer, no more and no less."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    reason: str
    evidence: str
    verdict: Verdict


@cache
def rubric(name: str) -> Text[Rubric]:
    """A rubric by name: sections ``system`` and ``question``.

    Raises:
        TextError: the file breaks its format.
    """
    return load_text(ROOT / "rubrics" / f"{name}.md", Rubric)


def need_grader() -> None:
    """Stop before anything is spent if no model has the grader's role.

    Raises:
        UserError: says how to name one. (Inspect itself would let the model judge its own replies.)
    """
    if ROLE not in model_roles():
        mend = "name one (`--model-role grader=provider/model`), or set `grader: rules`"
        raise UserError("the judge has no model", where="grader: judge", mend=mend)


def question(name: str, known: Mapping[str, str], reply: str, *, unfinished: bool) -> tuple[str, str]:
    """What the judge is told and asked about one reply.

    Args:
        name: of the rubric.
        known: our own text on the request, by slot.
        reply: the model's text, untrusted.
        unfinished: the reply was cut off by a limit.
    """
    sections = rubric(name).sections
    state = sections["unfinished"] if unfinished else ""
    slots = {**known, "reply": fenced(reply, "reply"), "state": state}
    return sections["system"], fill(sections["question"], slots)


async def judge(name: str, known: Mapping[str, str], reply: str, *, unfinished: bool) -> Ruling | Reading:
    """The judge's ruling, or a missing reading: judge error, judge timed out, judge refused, judge malformed."""
    system, asked = question(name, known, reply, unfinished=unfinished)
    config = GenerateConfig(temperature=0.0, max_tokens=_MAX_TOKENS, timeout=_SECONDS, max_retries=_RETRIES)
    grader: Model = get_model(role=ROLE, required=True)
    try:
        output = await grader.generate(
            [ChatMessageSystem(content=system), ChatMessageUser(content=asked)], config=config
        )
    except TimeoutError as error:
        return missing("judge timed out", str(error))
    except Exception as error:  # any failure of the judge costs this verdict and nothing else
        return missing("judge error", f"{type(error).__name__}: {error}")
    return parse(output)


def parse(output: ModelOutput) -> Ruling | Reading:
    """A judge's output as a ruling: one JSON object of the stated form (in a code fence or bare), nothing beside it."""
    if output.stop_reason == "content_filter":
        return missing("judge refused", "the endpoint's content filter took the verdict away")
    if output.error:
        return missing("judge error", output.error)
    if cut_off(output):
        return missing("judge cut off", "the verdict was cut off", output.completion[-200:])
    text = output.completion.strip()
    inner = _FENCE.match(text)
    try:
        return Ruling.model_validate(json.loads(inner[1] if inner else text))
    except (json.JSONDecodeError, ValidationError, RecursionError):
        cause = "judge refused" if opens_with_refusal(text) else "judge malformed"
        return missing(cause, "not the JSON object that was asked for", text[:400])
