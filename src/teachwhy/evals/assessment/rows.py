"""The assessment's results as rows: one for each sample and dimension, from an Inspect log."""

from collections.abc import Sequence

from inspect_ai.log import EvalLog, EvalSample

from teachwhy.evals.assessment.dimensions import HIGHEST, LOWEST
from teachwhy.evals.assessment.judge import verdicts_of
from teachwhy.evals.assessment.probe import Probe
from teachwhy.evals.assessment.transcript import said
from teachwhy.evals.assessment.verdicts import Verdict, all_missing
from teachwhy.evals.replies import why_failed
from teachwhy.evals.suite import Row


def assessment_rows(log: EvalLog) -> list[Row]:
    """One row a sample and dimension, in the order of sample ids and dimensions.

    ``value`` is the score from 1 to 10 as 0 to 1; ``group`` is the seed; ``reason`` and ``evidence`` are the judge's
    reason and quote; ``prompt`` is the system message and the first message, ``reply`` all that the target said;
    ``tokens`` are the target's. A sample that failed, or that the log lacks, is missing ("error").
    """
    dimensions: list[str] = (log.eval.metadata or {})["dimensions"]
    done = {str(sample.id): sample for sample in log.samples or []}
    asked = [str(id) for id in log.eval.dataset.sample_ids or sorted(done)]
    return [row for id in asked for row in _rows(id, done.get(id), dimensions)]


def _rows(id: str, sample: EvalSample | None, dimensions: Sequence[str]) -> list[Row]:
    verdicts = _verdicts(sample, dimensions)
    prompt, reply = _told(sample) if sample else ("", "")
    tokens = sample.store_as(Probe).target_tokens if sample else 0
    return [
        Row(
            eval="assessment",
            sample_id=id,
            group=id.rpartition("/")[0],
            measure=name,
            value=_share(verdicts[name].score),
            missing=verdicts[name].missing,
            reason=verdicts[name].why,
            evidence=verdicts[name].quote,
            prompt=prompt,
            reply=reply,
            tokens=tokens,
        )
        for name in dimensions
    ]


def _verdicts(sample: EvalSample | None, dimensions: Sequence[str]) -> dict[str, Verdict]:
    if sample is None:
        return all_missing(dimensions, "error", "the sample is not in the log")
    if sample.error or not sample.scores:
        why = why_failed(sample.error) if sample.error else "the sample was not scored"
        return all_missing(dimensions, "error", why)
    return verdicts_of(next(iter(sample.scores.values())))


def _share(score: int | None) -> float | None:
    return None if score is None else (score - LOWEST) / (HIGHEST - LOWEST)


def _told(sample: EvalSample) -> tuple[str, str]:
    """How the target was set up and first spoken to, and all that it said."""
    setup = [message.text for message in sample.messages if message.role == "system"]
    first = [message.text for message in sample.messages if message.role == "user"][:1]
    replies = [said(message) for message in sample.messages if message.role == "assistant"]
    return "\n\n".join(setup + first), "\n\n".join(replies)
