"""The judge of the assessment on labelled transcripts: scores from 1 to 10 on some dimensions of each."""

from functools import cache
from typing import TYPE_CHECKING, Literal

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
)
from inspect_ai.scorer import Score
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import store_as
from pydantic import field_validator

from teachwhy.evals.assessment.dimensions import (
    HIGHEST,
    LOWEST,
    all_dimensions,
    assessment_folder,
    checked_names,
    sheets_of,
)
from teachwhy.evals.assessment.judge import judge as by_judge
from teachwhy.evals.assessment.judge import verdicts_of
from teachwhy.evals.assessment.probe import Probe
from teachwhy.evals.assessment.verdicts import Verdict
from teachwhy.evals.calibration.judged import JudgeCalibration, Labelled, Ruled, judged, read_labelled

if TYPE_CHECKING:
    from inspect_ai.model import Model

NAME = "assessment"
VALUES: tuple[int | None, ...] = (*range(LOWEST, HIGHEST + 1), None)
By = Literal["setup", "user", "tool", "target"]


class Transcript(Labelled):
    """A labelled transcript.

    Attributes:
        turns: what was said in order, each by one speaker. A call stands as the judge would read it: the line
            ``[calls name]``, then one argument a line.
        scores: the scores from 1 to 10 that a careful reader gives, by dimension; the others are not labelled.
    """

    turns: tuple[dict[By, str], ...]
    scores: dict[str, int]

    @field_validator("turns")
    @classmethod
    def _one_speaker(cls, turns: tuple[dict[By, str], ...]) -> tuple[dict[By, str], ...]:
        if any(len(turn) != 1 for turn in turns) or not any("target" in turn for turn in turns):
            raise ValueError("each turn has one speaker, and the target says something")
        return turns

    @field_validator("scores")
    @classmethod
    def _on_the_scale(cls, scores: dict[str, int]) -> dict[str, int]:
        checked_names(list(scores), list(all_dimensions()), "dimension")
        if wrong := [score for score in scores.values() if not LOWEST <= score <= HIGHEST]:
            raise ValueError(f"the score {wrong[0]} is not from {LOWEST} to {HIGHEST}")
        return scores

    def messages(self) -> list[ChatMessage]:
        """The conversation as the target's log would hold it."""
        return [_message(by, text.strip()) for turn in self.turns for by, text in turn.items()]


def _message(by: By, text: str) -> ChatMessage:
    if by == "setup":
        return ChatMessageSystem(content=text)
    if by == "user":
        return ChatMessageUser(content=text)
    return ChatMessageTool(content=text) if by == "tool" else ChatMessageAssistant(content=text)


@cache
def transcripts() -> dict[str, Transcript]:
    """All labelled transcripts by name, in the order of files.

    Raises:
        TextError: an entry breaks the format, or a name stands twice.
        UserError: an unknown dimension.
    """
    read = read_labelled(assessment_folder() / "labelled", Transcript)
    return {one.name: one for listed in read.values() for one in listed}


def calibrate(judge: "str | Model") -> JudgeCalibration:
    """Let a judge score the labelled transcripts: whole numbers from 1 to 10, or missing, for each labelled dimension.

    A transcript is judged once for each sheet of rubrics on which it has a label, as in the suite.

    Raises:
        UserError: a judge that Inspect cannot reach.
        TeachwhyError: the transcripts could not be judged.
    """
    sheets = [[dimension.id for dimension in sheet] for sheet in sheets_of(list(all_dimensions()))]
    asked = {tuple(sheet): [one for one in transcripts().values() if set(sheet) & set(one.scores)] for sheet in sheets}
    used = {sheet: listed for sheet, listed in asked.items() if listed}
    found = judged([_task(sheet, listed) for sheet, listed in used.items()], judge)
    pairs = zip(used.items(), found, strict=True)
    given = [(one, sheet, scores[one.name]) for (sheet, listed), scores in pairs for one in listed]
    ruled = [each for one, sheet, score in given for each in _ruled(one, sheet, score)]
    return JudgeCalibration(NAME, str(judge), VALUES, tuple(ruled), scale=True)


def _task(sheet: tuple[str, ...], listed: list[Transcript]) -> Task:
    samples = [Sample(id=one.name, input=one.name) for one in listed]
    return Task(name=NAME, dataset=MemoryDataset(samples), solver=told(), scorer=by_judge(list(sheet)))


def _ruled(one: Transcript, sheet: tuple[str, ...], score: Score) -> list[Ruled]:
    verdicts = verdicts_of(score)
    return [_one(one.name, name, label, verdicts[name]) for name, label in one.scores.items() if name in sheet]


def _one(transcript: str, dimension: str, label: int, said: Verdict) -> Ruled:
    off = None if said.score is None else float(abs(said.score - label))
    return Ruled(transcript, dimension, label, said.score, said.missing, said.why, off)


@solver
def told() -> Solver:
    """Puts the labelled transcript where a probe's would stand."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state.messages = transcripts()[str(state.sample_id)].messages()
        store_as(Probe).ended = "auditor"
        return state

    return solve
