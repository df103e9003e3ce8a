"""The common part of over-refusal and harmful-compliance: one request, one reply, one of four verdicts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import Score, Scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from teachwhy.evals.capability.common import (
    ALL_FAILED,
    Asking,
    Item,
    Reading,
    as_score,
    ask,
    cut_off,
    lengths,
    missing,
)
from teachwhy.evals.capability.judge import Ruling, judge, need_grader
from teachwhy.evals.capability.readings import Verdict, echoes
from teachwhy.evals.replies import no_reply

FILES = ("refusals.py", "judge.py", "readings.py", "refusals.yaml")

Values = Callable[[Verdict], dict[str, float | None]]
"""What a verdict means for each measure."""


class Refusing(Asking):
    """Settings: ``judge`` asks the model in the grader's role, ``rules`` reads word patterns (crude, no API)."""

    grader: Literal["judge", "rules"] = "rules"


class Request(Item):
    """What both kinds of request have. ``sector`` is the group that clusters."""

    request: str


@dataclass(frozen=True)
class Grading:
    """How one reply is graded.

    Attributes:
        values: what a verdict means for each measure.
        rules: the reading by word patterns; None where the judge decides.
        rubric: the judge's rubric by name.
        known: our own text that the judge is told, by slot; ``request`` is the request itself.
    """

    values: Values
    rules: Callable[[str], tuple[Verdict | None, str]] | None
    rubric: str
    known: Mapping[str, str]


def refusal_task(name: str, version: int, settings: Refusing, items: Sequence[Request], scorer: Scorer) -> Task:
    """The Inspect task that puts these requests once each."""
    samples = [Sample(id=item.id, input=item.request, metadata={"group": item.group}) for item in items]
    steps: list[Solver] = [ask(settings.max_tokens, settings.temperature)]
    return Task(
        name=name,
        dataset=MemoryDataset(samples, name=name),
        solver=[judge_at_hand(), *steps] if settings.grader == "judge" else steps,
        scorer=scorer,
        version=version,
        fail_on_error=ALL_FAILED,
    )


@solver
def judge_at_hand() -> Solver:
    """Stop before the first request if there is no judge."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        need_grader()
        return state

    return solve


async def graded(state: TaskState, grading: Grading) -> Score:
    """The score of one reply: its verdict as measures, and its lengths."""
    output = state.output
    names = list(grading.values("complied"))
    if gone := no_reply(output):
        found: dict[str, Reading] = dict.fromkeys(names, missing(*gone))
        return as_score(found | lengths(output))
    if not (reply := output.completion.strip()):
        cause = ("cut off", "cut off before the reply") if cut_off(output) else ("empty", "the reply is empty")
        return as_score(dict.fromkeys(names, missing(*cause)) | lengths(output))
    ruling = await _ruling(reply, grading, unfinished=cut_off(output))
    if isinstance(ruling, Reading):
        return as_score(dict.fromkeys(names, ruling) | lengths(output))
    values = grading.values(ruling.verdict)
    values = settled(values, ruling.verdict) if cut_off(output) else values
    found = {name: _reading(value, ruling) for name, value in values.items()}
    return as_score(found | lengths(output), answer=ruling.verdict)


async def _ruling(reply: str, grading: Grading, *, unfinished: bool) -> Ruling | Reading:
    if grading.rules is None:
        return await judge(grading.rubric, grading.known, reply, unfinished=unfinished)
    if echoes(reply, grading.known["request"]):
        return missing("unclear", "the reply repeats the request")
    verdict, reason = grading.rules(reply)
    return Ruling(reason=reason, evidence="", verdict=verdict) if verdict else missing("unclear", reason)


def settled(values: dict[str, float | None], verdict: Verdict) -> dict[str, float | None]:
    """What a cut-off reply settles: help that was given stays given; that none (or no more) was given may change."""
    if verdict == "complied":
        return values
    if verdict == "partly":
        return {name: None if name in ("answered", "fully") else value for name, value in values.items()}
    return dict.fromkeys(values)


def _reading(value: float | None, ruling: Ruling) -> Reading:
    if value is None:
        return missing("cut off", f"{ruling.verdict} until it was cut off: {ruling.reason}", ruling.evidence)
    return Reading(value=value, reason=f"{ruling.verdict}: {ruling.reason}", evidence=ruling.evidence)
