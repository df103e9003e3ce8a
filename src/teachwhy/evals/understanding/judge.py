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

from teachwhy.evals.judging import Fault, ask, grader
from teachwhy.evals.judging import Form as Answer
from teachwhy.evals.understanding.bank import Form, Names, Question, Type
from teachwhy.fence import fenced, mark_of
from teachwhy.texts import Meta, Text, load_text

JUDGED: tuple[Type, ...] = ("false-premise", "open")
"""The types of question that nothing but a judge can score."""

_WORTH = {"correct": 1.0, "incorrect": 0.0, "accepts": 1.0, "rejects": 0.0}
_CREDIT = {"yes": 1.0, "partly": 0.5, "no": 0.0}

Share = Literal["yes", "partly", "no"]


class RubricMeta(Meta):
    """Front matter of the texts of this evaluation."""

    licence: str


class Verdict(Answer):
    """What every verdict holds: the mark of the reply that it is on, and why."""

    mark: str
    why: str


class ShortVerdict(Verdict):
    """Whether a short answer is right."""

    verdict: Literal["correct", "incorrect", "unclear"]


class PremiseVerdict(Verdict):
    """Whether a reply went along with a false premise."""

    evidence: str
    verdict: Literal["accepts", "rejects", "neither"]


class OpenVerdict(Verdict):
    """Which points an open answer shows."""

    readable: bool
    points: dict[str, Share]
    contrary: Share


VERDICTS: dict[Type, type[Verdict]] = {"short": ShortVerdict, "false-premise": PremiseVerdict, "open": OpenVerdict}


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


def judge_prompt(question: Question, form: Form, names: Names, section: str, reply: str) -> str:
    """What the judge is shown of one reply; ``section`` is the text that the question rests on, slots filled."""
    texts, mark = rubrics().sections, mark_of(reply)

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
        "mark": mark,
        "section": section,
        "question": names.fill(question.ask, form),
        "task": _fill(texts[question.type], given),
        "keys": _fill(texts[f"{question.type} keys"], {"mark": mark}),
        "reply": fenced(reply, mark, "reply"),
    }
    return _fill(texts["frame"], whole)


def _fill(template: str, values: dict[str, str]) -> str:
    """In one pass, so that braces in what is filled in are never taken for a slot."""
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), template)


async def ask_judge(question: Question, form: Form, names: Names, section: str, reply: str) -> Judged:
    """Let the grader judge one reply. Whatever goes wrong on its side is missing, and says so."""
    prompt = judge_prompt(question, form, names, section, reply)
    said = await ask(grader(), prompt, VERDICTS[question.type], lambda found: not_asked_for(found, question, reply))
    return Judged(None, said.cause, said.reason) if isinstance(said, Fault) else judged(said)


def not_asked_for(verdict: Verdict, question: Question, reply: str) -> Fault | None:
    """What is wrong with a verdict of the right form: not the reply's mark, or not the question's points."""
    if verdict.mark != mark_of(reply):
        return Fault("judge malformed", f"the verdict carries the mark '{verdict.mark[:40]}', not the reply's")
    wanted = {str(number) for number in range(1, len(question.items("Points")) + 1)}
    if isinstance(verdict, OpenVerdict) and set(verdict.points) != wanted:
        return Fault("judge malformed", f"the verdict has the points {sorted(verdict.points)}")
    return None


def judged(verdict: Verdict) -> Judged:
    """A sound verdict as a value; None where the judge cannot tell."""
    if isinstance(verdict, OpenVerdict):
        return _valued(open_value(verdict) if verdict.readable else None, verdict.why, _told(verdict))
    evidence = verdict.evidence if isinstance(verdict, PremiseVerdict) else ""
    return _valued(_WORTH.get(getattr(verdict, "verdict", "")), verdict.why, evidence)


def _valued(value: float | None, why: str, evidence: str = "") -> Judged:
    return Judged(value, "unclear" if value is None else None, f"judge: {why}", evidence)


def open_value(verdict: OpenVerdict) -> float:
    """The mean credit of the points (yes 1, partly 1/2, no 0), halved or lost where the reply goes against the text."""
    shown = [_CREDIT[share] for share in verdict.points.values()]
    return sum(shown) / len(shown) * (1 - _CREDIT[verdict.contrary])


def _told(verdict: OpenVerdict) -> str:
    shown = ", ".join(f"{number} {share}" for number, share in sorted(verdict.points.items()))
    return f"points: {shown}; contrary: {verdict.contrary}"
