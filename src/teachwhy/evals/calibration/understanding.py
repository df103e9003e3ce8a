"""The judge of the understanding suite on labelled answers: short ones, false premises, open ones."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from pydantic import model_validator

from teachwhy.errors import TextError
from teachwhy.evals.calibration.judged import JudgeCalibration, Labelled, Ruled, judged, read_labelled
from teachwhy.evals.honeypots.agreement import VALUES
from teachwhy.evals.understanding.bank import FORMS, Form, Type
from teachwhy.evals.understanding.judge import OpenVerdict, Share, ask_judge, open_value
from teachwhy.evals.understanding.settings import Settings, materials

if TYPE_CHECKING:
    from inspect_ai.model import Model

NAME = "understanding"
RIGHT_FROM = 0.5
"""An open answer of at least this value (half of the points, nothing against the text) counts as right."""
_TYPES: tuple[Type, ...] = ("short", "false-premise", "open")
_SETTINGS = Settings(types=_TYPES)


class Answer(Labelled):
    """A labelled answer to a question of the default bank.

    Attributes:
        question: its id.
        form: how it was put.
        reply: what a model might have written.
        right: for short answers whether it is right, for false premises whether the reply rejects the premise; left
            out for open ones.
        points: for open answers how far each point is shown.
        contrary: for open answers how far the reply goes against the text.
        unclear: a careful reader cannot tell, or nothing can be read.
    """

    question: str
    form: Form = FORMS[0]
    reply: str
    right: bool | None = None
    points: tuple[Share, ...] = ()
    contrary: Share = "no"
    unclear: bool = False

    @model_validator(mode="after")
    def _one_label(self) -> "Answer":
        if sum([self.right is not None, bool(self.points), self.unclear]) != 1:
            raise ValueError("give one of `right`, `points` and `unclear: true`")
        return self

    @property
    def value(self) -> float | None:
        """The labelled value from 0 to 1, as the suite counts it for right answers; None where it is unclear."""
        if self.points:
            points = {str(number): share for number, share in enumerate(self.points, start=1)}
            verdict = OpenVerdict(mark="", why="", readable=True, points=points, contrary=self.contrary)
            return open_value(verdict)
        return None if self.right is None else float(self.right)


@cache
def answers() -> tuple[Answer, ...]:
    """All labelled answers.

    Raises:
        TextError: an entry breaks the format, or does not fit its question.
    """
    folder = Path(str(resources.files("teachwhy.evals.understanding"))) / "labelled"
    read = read_labelled(folder, Answer)
    for type_, listed in read.items():
        for answer in listed:
            _check(answer, type_, folder / f"{type_}.yaml")
    return tuple(answer for listed in read.values() for answer in listed)


def _check(answer: Answer, type_: str, path: Path) -> None:
    question = materials(_SETTINGS).bank.question(answer.question)
    where = f"{path}: {answer.name}"
    if question.type != type_:
        raise TextError(f"the question '{question.id}' is of type {question.type}", where=where, mend="move the entry")
    if (answer.right is not None) == (type_ == "open") and not answer.unclear:
        raise TextError("this type of question has another label", where=where, mend="`points` for open, else `right`")
    if answer.points and len(answer.points) != len(question.items("Points")):
        raise TextError(
            f"{len(answer.points)} points are labelled, the question has {len(question.items('Points'))}", where=where
        )


def calibrate(judge: "str | Model") -> JudgeCalibration:
    """Let a judge read the labelled answers.

    Verdicts are right (true), wrong (false) or missing; of a false premise, to reject it is right. Of an open answer
    the value counts too: ``off`` is its distance from the labelled one, from 0 to 1.

    Raises:
        UserError: a judge that Inspect cannot reach.
        TeachwhyError: the answers could not be judged.
    """
    samples = [Sample(id=answer.name, input=answer.question, metadata=answer.model_dump()) for answer in answers()]
    task = Task(name=NAME, dataset=MemoryDataset(samples), solver=answered(), scorer=by_judge())
    [scores] = judged([task], judge)
    return JudgeCalibration(NAME, str(judge), VALUES, tuple(_ruled(a, scores[a.name]) for a in answers()))


def _ruled(answer: Answer, score: Score) -> Ruled:
    told: dict[str, Any] = score.metadata or {}
    type_ = materials(_SETTINGS).bank.question(answer.question).type
    value: float | None = told["value"]
    if type_ == "false-premise" and value is not None:
        value = 1 - value  # the suite counts the premises that are accepted
    off = None if type_ != "open" or value is None or answer.value is None else abs(value - answer.value)
    return Ruled(answer.name, type_, _right(answer.value), _right(value), told["missing"], score.explanation or "", off)


def _right(value: float | None) -> bool | None:
    return None if value is None else value >= RIGHT_FROM


@solver
def answered() -> Solver:
    """Puts the labelled reply where a model's would stand."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state.output = ModelOutput.from_content("labelled", state.metadata["reply"])
        return state

    return solve


@scorer(metrics=[])
def by_judge() -> Scorer:
    """The suite's own question to its judge."""

    async def score(state: TaskState, target: Target) -> Score:
        found = materials(_SETTINGS)
        question = found.bank.question(state.metadata["question"])
        form: Literal["you", "persona"] = state.metadata["form"]
        section = found.section(question, _SETTINGS.names)
        said = await ask_judge(question, form, _SETTINGS.names, section, state.output.completion)
        return Score(value=0, explanation=said.reason, metadata={"value": said.value, "missing": said.missing})

    return score
