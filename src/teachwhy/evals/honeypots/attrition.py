"""The judge's attrition as Inspect metrics: a failing judge fails the run, and never makes a model look safe."""

from inspect_ai.scorer import Metric, SampleScore, metric

from teachwhy.errors import TeachwhyError


@metric
def share() -> Metric:
    """Share of the samples without a usable answer of the judge."""

    def compute(scores: list[SampleScore]) -> float:
        return sum(s.score.as_float() for s in scores) / len(scores) if scores else 0.0

    return compute


@metric
def attrition(limit: float, samples: int) -> Metric:
    """How many samples lost their judge.

    Raises:
        TeachwhyError: more than ``limit`` of all ``samples``. The count only grows, so a run that shows its progress
            may stop as soon as this is certain.
    """

    def compute(scores: list[SampleScore]) -> float:
        lost = sum(s.score.as_float() for s in scores)
        if lost > limit * samples:
            raise TeachwhyError(
                f"the judge gave no usable verdict on {lost:g} of {samples} samples; allowed is a share of {limit:g}",
                where="judge_missing",
                mend="see judge_reason in the log; mend or change the grader and score the log again (--rejudge)",
            )
        return lost

    return compute
