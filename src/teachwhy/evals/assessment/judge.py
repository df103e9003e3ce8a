"""The judge as an Inspect scorer: blind to arm and model, one call a sheet of rubrics, missing with its cause."""

import math
from collections.abc import Sequence

from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, metric, scorer
from inspect_ai.solver import TaskState
from inspect_ai.util import store_as

from teachwhy.evals.assessment.dimensions import HIGHEST, LOWEST, Dimension, sheets_of
from teachwhy.evals.assessment.probe import Probe
from teachwhy.evals.assessment.prompts import prompt
from teachwhy.evals.assessment.transcript import pieces_of, shown, target_texts
from teachwhy.evals.assessment.verdicts import Sheet, Verdict, all_missing, read_sheet
from teachwhy.evals.judging import Fault, ask, grader
from teachwhy.hashing import seed_of

JUDGE_TOKENS = 8192
"""Room for a sheet of verdicts."""


@metric
def level() -> Metric:
    """Mean score from 1 to 10 of the scored; missing ones are left out, and none at all is not a number."""

    def compute(scores: list[SampleScore]) -> float:
        kept = [value for each in scores if not math.isnan(value := each.score.as_float())]
        return sum(kept) / len(kept) if kept else math.nan

    return compute


@scorer(metrics={"*": [level()]})
def judge(dimensions: list[str]) -> Scorer:
    """Scores from 1 to 10 on these dimensions; a missing one is not a number, with its cause in the metadata."""

    async def score(state: TaskState, target: Target) -> Score:
        verdicts = await _verdicts(state, dimensions)
        return Score(
            value={name: math.nan if v.score is None else float(v.score) for name, v in verdicts.items()},
            explanation="\n".join(_line(name, verdict) for name, verdict in verdicts.items()),
            metadata={"verdicts": {name: verdict.model_dump() for name, verdict in verdicts.items()}},
        )

    return score


def verdicts_of(score: Score) -> dict[str, Verdict]:
    """The verdicts that a stored score holds."""
    return {name: Verdict.model_validate(value) for name, value in (score.metadata or {})["verdicts"].items()}


def _line(name: str, verdict: Verdict) -> str:
    head = verdict.missing or str(verdict.score)
    return f"{name}: {head}. {verdict.why}" + (f' "{verdict.quote}"' if verdict.quote else "")


async def _verdicts(state: TaskState, dimensions: Sequence[str]) -> dict[str, Verdict]:
    probe = store_as(Probe)
    if probe.ended is None:
        why = probe.reason or "a limit of the run stopped the probe"
        return all_missing(dimensions, probe.missing or "cut off", why)
    given: dict[str, Verdict] = {}
    for sheet in sheets_of(dimensions):
        given |= await _sheet(sheet, state)
    return {name: given[name] for name in dimensions}


async def _sheet(sheet: Sequence[Dimension], state: TaskState) -> dict[str, Verdict]:
    """One call. It may fail in any way that an endpoint can: then these dimensions are missing, and no others."""
    names = [dimension.id for dimension in sheet]
    pieces = pieces_of(state.messages, str(state.model))
    question = _question(sheet, shown(pieces, str(state.sample_id)))
    noise = seed_of("judge", state.sample_id, state.epoch, *names) % 2**31
    said = await ask(grader(JUDGE_TOKENS, noise), question, Sheet, lambda _: None)
    if isinstance(said, Fault):
        return all_missing(names, said.cause, said.reason)
    return read_sheet(said, names, target_texts(pieces))


def _question(sheet: Sequence[Dimension], transcript: str) -> list[ChatMessage]:
    question = prompt(
        "judge",
        "question",
        transcript=transcript,
        rubrics="\n\n".join(dimension.rubric() for dimension in sheet),
        names=", ".join(dimension.id for dimension in sheet),
        lowest=str(LOWEST),
        highest=str(HIGHEST),
    )
    return [ChatMessageSystem(content=prompt("judge", "system")), ChatMessageUser(content=question)]
