"""A judge's verdict on one reply, through Inspect's grader role.

The judge sees the request, what is to be known about it, and the reply, fenced and escaped; never the model or the arm.
How it is asked and read is ``evals/judging.py``.
"""

from collections.abc import Mapping
from functools import cache

from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser

from teachwhy.errors import UserError
from teachwhy.evals.capability.common import ROOT, Reading, fill, missing
from teachwhy.evals.capability.readings import Verdict
from teachwhy.evals.judging import Fault, Form, ask, grader, has_grader
from teachwhy.fence import fenced, mark_of
from teachwhy.texts import Meta, Text, load_text


class Rubric(Meta):
    """Front matter of a rubric: what it judges."""

    title: str
    judges: str


class Ruling(Form):
    """What a judge must answer."""

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
    if not has_grader():
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
    slots = {**known, "reply": fenced(reply, mark_of(reply), "reply"), "state": state}
    return sections["system"], fill(sections["question"], slots)


async def judge(name: str, known: Mapping[str, str], reply: str, *, unfinished: bool) -> Ruling | Reading:
    """The judge's ruling, or a missing reading with the cause."""
    system, asked = question(name, known, reply, unfinished=unfinished)
    messages: list[ChatMessage] = [ChatMessageSystem(content=system), ChatMessageUser(content=asked)]
    said = await ask(grader(), messages, Ruling, lambda _: None)
    return missing(said.cause, said.reason) if isinstance(said, Fault) else said
