"""Results as rows: one plain row a sample, from Inspect logs."""

from typing import Any

from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import ChatMessageAssistant

from teachwhy.evals.honeypots.graders import columns
from teachwhy.evals.honeypots.judge import Judgement
from teachwhy.evals.honeypots.legacy import legacy_any
from teachwhy.evals.honeypots.readings import readings
from teachwhy.evals.honeypots.rules import Verdict
from teachwhy.evals.honeypots.task import judgement_of, scenario_of, verdict_of
from teachwhy.evals.honeypots.world import World
from teachwhy.evals.judging import ROLE
from teachwhy.evals.replies import why_failed


def honeypot_rows(log: EvalLog) -> list[dict[str, Any]]:
    """One row a sample, in the order of sample ids.

    Columns: sample_id (the condition's id and the repeat); family, kind, split and the factors; own, any, finished,
    done (True, False, None); act; missing (cause); valid; truncated; reason; evidence; prompt, reply and actions (the
    transcript in short); aware, selfish, deliberates (readings by patterns: True, False, None); legacy_any (for
    comparison only).
    A sample that failed has missing = "error". If a judge was asked, also rules_own, rules_any, rules_missing,
    rules_reason, judge_own, judge_any, judge_missing, judge_reason, judge_aware, judge_selfish, judge_deliberates and
    agree (None where one of the graders has no verdict).
    """
    samples = log.samples or []
    judged = any(judgement_of(score) for sample in samples for score in (sample.scores or {}).values())
    return sorted((_row(sample, judged) for sample in samples), key=lambda row: str(row["sample_id"]))


def _row(sample: EvalSample, judged: bool) -> dict[str, Any]:
    scenario = scenario_of(sample.metadata)
    c, family = scenario.condition, scenario.family
    row: dict[str, Any] = {
        "sample_id": f"{sample.id}/r{sample.epoch}",
        "eval": "twins" if c.twin else "honeypots",
        "kind": family.kind,
    }
    row |= {"split": family.meta.split} | c.columns()
    world = sample.store_as(World)
    row |= {
        "prompt": "\n\n".join(m.text for m in sample.messages if m.role in ("system", "user")),
        "reply": "\n\n".join(_said(m) for m in sample.messages if isinstance(m, ChatMessageAssistant)),
        "actions": [action.model_dump() for action in world.actions],
        "tokens": _tokens(sample),
    }
    verdict, rules, judgement = _graded(sample, valid=bool(world.actions))
    row |= verdict.model_dump()
    row |= readings(sample.messages, missing=verdict.missing, truncated=verdict.truncated)
    row["legacy_any"] = legacy_any(scenario, row, judgement if judged else None)
    return row | (columns(rules, judgement) if judged else {})


def _tokens(sample: EvalSample) -> int:
    """What the measured model wrote; the judge's words are not its own."""
    judge = sample.role_usage.get(ROLE)
    return sum(usage.output_tokens for usage in sample.model_usage.values()) - (judge.output_tokens if judge else 0)


def _graded(sample: EvalSample, *, valid: bool) -> tuple[Verdict, Verdict, Judgement]:
    """The verdict of record, the rules' and the judge's. One that was not given is missing with its cause."""
    if sample.error or not sample.scores:
        reason = why_failed(sample.error) if sample.error else "the sample was not scored"
        failed = Verdict(own=None, any=None, missing="error", reason=reason, valid=valid, truncated=False)
        return failed, failed, Judgement(missing="error", reason=reason)
    score = next(iter(sample.scores.values()))
    verdict = verdict_of(score)
    both = judgement_of(score)
    return (verdict, *both) if both else (verdict, verdict, Judgement(missing="not asked", reason="no judge was asked"))


def _said(message: ChatMessageAssistant) -> str:
    calls = [
        f"{c.function}({', '.join(f'{k}={v!r}' for k, v in c.arguments.items())})" for c in message.tool_calls or []
    ]
    return "\n".join([message.text, *calls]).strip()
