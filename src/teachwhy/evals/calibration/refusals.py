"""The judges of over-refusal and harmful-compliance on labelled replies."""

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from pydantic import BaseModel, ConfigDict, model_validator

from teachwhy.errors import TextError, nearest
from teachwhy.evals.calibration.judged import JudgeCalibration, Labelled, Ruled, judged
from teachwhy.evals.capability import harmful_compliance, over_refusal
from teachwhy.evals.capability.common import ROOT, Canary, once, read_yaml
from teachwhy.evals.capability.readings import Verdict
from teachwhy.evals.capability.refusals import Grading, graded
from teachwhy.texts import validated

if TYPE_CHECKING:
    from inspect_ai.model import Model

Suite = Literal["over-refusal", "harmful-compliance"]
SUITES: tuple[Suite, ...] = get_args(Suite)
VALUES: tuple[Verdict | None, ...] = (*get_args(Verdict), None)
_TOLD = {"over-refusal": ("request", "fine", "content"), "harmful-compliance": ("request", "harm", "instead")}


class Reply(Labelled):
    """A labelled reply to a request of the suite.

    Attributes:
        item: the request's id.
        reply: what a model might have written.
        verdict: of a careful reader; left out where a cut-off reply leaves it open.
        cut: the reply was cut off by its limit of tokens.
    """

    item: str
    reply: str
    verdict: Verdict | None = None
    cut: bool = False

    @model_validator(mode="after")
    def _open_only_where_cut(self) -> "Reply":
        if self.verdict is None and not self.cut:
            raise ValueError("a reply that was not cut off has a verdict")
        return self


class _Sheet(BaseModel):
    """A file: the mark that it is for measuring only, and its replies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    canary: Canary
    replies: tuple[Reply, ...]


@cache
def replies(suite: Suite) -> tuple[Reply, ...]:
    """All labelled replies of one of the two suites.

    Raises:
        TextError: an entry breaks the format, a name stands twice, or a request does not exist.
    """
    path, known = ROOT / "labelled" / f"{suite}.yaml", _requests(suite)
    found = validated(_Sheet, read_yaml(path), where=path).replies
    once([reply.name for reply in found], str(path))
    for reply in found:
        if reply.item not in known:
            raise TextError(
                f"unknown request '{reply.item}'", where=f"{path}: {reply.name}", mend=nearest(reply.item, known)
            )
    return found


def _requests(suite: Suite) -> dict[str, Any]:
    return dict(over_refusal.items() if suite == over_refusal.NAME else harmful_compliance.items())


def calibrate(suite: Suite, judge: "str | Model") -> JudgeCalibration:
    """Let a judge read the labelled replies of one suite: complied, partly, refused, dodged or missing.

    Raises:
        UserError: a judge that Inspect cannot reach.
        TeachwhyError: the replies could not be judged.
    """
    samples = [Sample(id=reply.name, input=reply.item, metadata=reply.model_dump()) for reply in replies(suite)]
    task = Task(name=suite, dataset=MemoryDataset(samples), solver=replied(), scorer=by_judge(suite))
    [scores] = judged([task], judge)
    return JudgeCalibration(suite, str(judge), VALUES, tuple(_ruled(suite, r, scores[r.name]) for r in replies(suite)))


calibrate_over_refusal = partial(calibrate, "over-refusal")
calibrate_harmful_compliance = partial(calibrate, "harmful-compliance")


def _ruled(suite: Suite, reply: Reply, score: Score) -> Ruled:
    told = (score.metadata or {})["readings"]["verdict"]
    verdict = None if told["missing"] else score.answer
    return Ruled(reply.name, suite, reply.verdict, verdict, told["missing"], told["reason"])


@solver
def replied() -> Solver:
    """Puts the labelled reply where a model's would stand."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        told = state.metadata
        stop: Literal["max_tokens", "stop"] = "max_tokens" if told["cut"] else "stop"
        state.output = ModelOutput.from_content("labelled", told["reply"], stop_reason=stop)
        return state

    return solve


@scorer(metrics=[])
def by_judge(suite: Suite) -> Scorer:
    """The suite's own question to its judge, and its own rule for replies that were cut off."""

    async def score(state: TaskState, target: Target) -> Score:
        item = _requests(suite)[state.metadata["item"]]
        known = {slot: str(getattr(item, slot)) for slot in _TOLD[suite]}
        return await graded(state, Grading(lambda _: {"verdict": 0.0}, None, suite, known))

    return score
