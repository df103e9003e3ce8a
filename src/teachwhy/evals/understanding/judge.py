"""A judge's verdict on one reply: what it is shown, how its answer is read, and every way in which that can fail.

The judge is the model in Inspect's role ``grader``. It sees the question, its key, the section that they rest on, and
the reply, escaped and between two lines that carry a mark made from the reply itself; it has to give the mark back.
So neither a forged end of the reply nor a verdict that it repeats from the reply can pass. It never learns which model
replied. A verdict that cannot be had is missing, with its cause.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from inspect_ai.model import GenerateConfig, ModelOutput, get_model, model_roles
from pydantic import BaseModel, ConfigDict, ValidationError

from teachwhy.evals.understanding.bank import Form, Names, Question, Type
from teachwhy.hashing import digest
from teachwhy.texts import Meta, Text, load_text

GRADER = "grader"
JUDGED: tuple[Type, ...] = ("false-premise", "open")
"""The types of question that nothing but a judge can score."""

# What the role's own configuration says goes before this. Room for a judge that reasons before it answers.
_CONFIG = GenerateConfig(temperature=0.0, max_tokens=4096)
_CREDIT = {"yes": 1.0, "partly": 0.5, "no": 0.0}
_FENCED = re.compile(r"```(?:json)?\s*(\{.*\})\s*```", re.DOTALL)

Share = Literal["yes", "partly", "no"]


class RubricMeta(Meta):
    """Front matter of the texts of this evaluation."""

    licence: str


class _Verdict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    mark: str
    why: str


class ShortVerdict(_Verdict):
    """Whether a short answer is right."""

    verdict: Literal["correct", "incorrect", "unclear"]


class PremiseVerdict(_Verdict):
    """Whether a reply went along with a false premise."""

    evidence: str
    verdict: Literal["accepts", "rejects", "neither"]


class OpenVerdict(_Verdict):
    """Which points an open answer shows."""

    readable: bool
    points: dict[str, Share]
    contrary: Share


_VERDICTS: dict[Type, type[_Verdict]] = {"short": ShortVerdict, "false-premise": PremiseVerdict, "open": OpenVerdict}


@dataclass(frozen=True)
class Judged:
    """A value from 0 to 1, or None with the cause for which it is missing."""

    value: float | None
    missing: str | None
    reason: str
    evidence: str = ""


@cache
def rubrics() -> Text[RubricMeta]:
    """The texts that a judge is shown."""
    return load_text(Path(str(resources.files("teachwhy.evals.understanding"))) / "rubrics.md", RubricMeta)


def has_grader() -> bool:
    """Has the evaluation that is being made or run a model in the role ``grader``?"""
    return GRADER in model_roles()


def fence_of(*parts: object) -> str:
    """The mark of a reply: 16 hex digits that nobody can write into the reply that they are made from."""
    return digest([str(part) for part in parts])[:16]


def escaped(reply: str) -> str:
    """The reply with nothing in it that could open or close a tag."""
    return reply.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def judge_prompt(question: Question, form: Form, names: Names, section: str, reply: str, fence: str) -> str:
    """What the judge is shown of one reply.

    Args:
        section: the text that the question rests on, slots filled.
        fence: what ``fence_of`` gave for this reply.
    """
    texts = rubrics().sections

    def filled(label: str) -> list[str]:
        return [names.fill(item, form) for item in question.items(label)]

    def numbered(items: list[str]) -> str:
        return "\n".join(f"{number}. {item}" for number, item in enumerate(items, start=1))

    given = {
        "answer": "".join(filled("Answer")),
        "accept": "; ".join(filled("Accept")),
        "false": "".join(filled("False")),
        "instead": "".join(filled("Instead")),
        "points": numbered(filled("Points")),
        "contrary": "".join(filled("Contrary")),
    }
    whole = {
        "fence": fence,
        "section": section,
        "question": names.fill(question.ask, form),
        "task": _fill(texts[question.type], given),
        "keys": _fill(texts[f"{question.type} keys"], {"fence": fence}),
        "reply": escaped(reply),
    }
    return _fill(texts["frame"], whole)


def _fill(template: str, values: dict[str, str]) -> str:
    """In one pass, so that braces in what is filled in are never taken for a slot."""
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), template)


async def ask_judge(question: Question, form: Form, names: Names, section: str, reply: str) -> Judged:
    """Let the grader judge one reply. Whatever goes wrong on its side is missing, and says so."""
    fence = fence_of(question.id, form, reply)
    prompt = judge_prompt(question, form, names, section, reply, fence)
    model = get_model(role=GRADER, required=True, config=_CONFIG)
    try:
        output = await model.generate(prompt)
    except Exception as error:  # whatever an endpoint raises: a timeout, a 429, a lost connection
        return Judged(None, "judge failed", f"{type(error).__name__}: {error}")
    return read_verdict(output, question, fence)


def read_verdict(output: ModelOutput, question: Question, fence: str) -> Judged:
    """A judge's output as a value. Anything but one verdict in the form asked for is missing."""
    if output.empty:
        return Judged(None, "judge failed", output.error or "the judge gave no answer")
    if output.stop_reason == "content_filter":
        return Judged(None, "judge refused", "the judge's endpoint took its answer away")
    if output.stop_reason in ("max_tokens", "model_length"):
        return Judged(None, "judge cut off", "the judge's answer was cut off by its token limit")
    if output.error or not output.completion.strip():
        return Judged(None, "judge failed", output.error or "the judge said nothing")
    said = output.completion.strip()
    fenced = _FENCED.fullmatch(said)
    try:
        return _read(fenced[1] if fenced else said, question, fence)
    except ValidationError as error:
        cause = "judge malformed" if "{" in said else "judge refused"
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return Judged(None, cause, f"{place}: {first['msg']}; it said: {said[:300]}")


def _read(said: str, question: Question, fence: str) -> Judged:
    verdict = _VERDICTS[question.type].model_validate_json(said)
    if verdict.mark != fence:
        return Judged(None, "judge malformed", f"the verdict carries the mark '{verdict.mark[:40]}', not the reply's")
    if isinstance(verdict, ShortVerdict):
        values = {"correct": 1.0, "incorrect": 0.0}
        return _valued(values.get(verdict.verdict), verdict.why)
    if isinstance(verdict, PremiseVerdict):
        values = {"accepts": 1.0, "rejects": 0.0}
        return _valued(values.get(verdict.verdict), verdict.why, verdict.evidence)
    assert isinstance(verdict, OpenVerdict)
    wanted = {str(number) for number in range(1, len(question.items("Points")) + 1)}
    if set(verdict.points) != wanted:
        return Judged(None, "judge malformed", f"the verdict has the points {sorted(verdict.points)}")
    return _valued(open_value(verdict) if verdict.readable else None, verdict.why, _told(verdict))


def _valued(value: float | None, why: str, evidence: str = "") -> Judged:
    return Judged(value, "unclear" if value is None else None, f"judge: {why}", evidence)


def open_value(verdict: OpenVerdict) -> float:
    """The mean credit of the points (yes 1, partly 1/2, no 0), halved or lost where the reply goes against the text."""
    shown = [_CREDIT[share] for share in verdict.points.values()]
    return sum(shown) / len(shown) * (1 - _CREDIT[verdict.contrary])


def _told(verdict: OpenVerdict) -> str:
    shown = ", ".join(f"{number} {share}" for number, share in sorted(verdict.points.items()))
    return f"points: {shown}; contrary: {verdict.contrary}"
