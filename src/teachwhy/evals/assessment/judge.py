"""The judge as an Inspect scorer: blind to arm and model, one call a sheet of rubrics, missing with its cause."""

import math
from collections.abc import Sequence

from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser, GenerateConfig, ModelOutput, get_model
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, metric, scorer
from inspect_ai.solver import TaskState
from inspect_ai.util import LimitExceededError, store_as

from teachwhy.evals.assessment.dimensions import HIGHEST, LOWEST, Dimension, sheets_of
from teachwhy.evals.assessment.probe import Probe
from teachwhy.evals.assessment.prompts import prompt
from teachwhy.evals.assessment.transcript import pieces_of, shown, target_texts
from teachwhy.evals.assessment.verdicts import Verdict, all_missing, read_verdicts
from teachwhy.hashing import seed_of

JUDGE = "grader"
JUDGE_TOKENS = 8192


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
    # The role's own settings win over these, as for any Inspect role.
    grader = get_model(
        role=JUDGE, required=True, config=GenerateConfig(temperature=0.0, max_tokens=JUDGE_TOKENS, seed=noise)
    )
    try:
        output = await grader.generate(question)
    except LimitExceededError:
        raise
    except TimeoutError as error:
        return all_missing(names, "judge timeout", str(error) or "the judge did not answer in time")
    except Exception as error:
        return all_missing(names, "judge error", f"{type(error).__name__}: {error}")
    return _refused(output, names) or read_verdicts(output.completion, names, target_texts(pieces))


def _refused(output: ModelOutput, names: Sequence[str]) -> dict[str, Verdict] | None:
    """Why the reply is not the judge's own or not whole, if so."""
    if not output.choices:
        return all_missing(names, "judge error", output.error or "the judge gave no reply")
    if output.stop_reason == "content_filter":
        return all_missing(names, "judge refused", "the endpoint's content filter took the verdict away")
    if output.stop_reason in ("max_tokens", "model_length"):
        return all_missing(names, "judge cut off", "the verdict was cut off by the token limit")
    return all_missing(names, "judge error", output.error) if output.error else None


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
