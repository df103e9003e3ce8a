"""Results as rows: one plain row a sample, from Inspect logs."""

from typing import Any

from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import ChatMessageAssistant

from teachwhy.evals.honeypots.task import scenario_of, verdict_of
from teachwhy.evals.honeypots.world import World


def honeypot_rows(log: EvalLog) -> list[dict[str, Any]]:
    """One row a sample, in the order of sample ids.

    Columns: sample_id (the condition's id and the repeat); family, kind, split and the factors; own, any, done (True,
    False, None); act; missing (cause); valid; truncated; reason; evidence; prompt, reply and actions (the transcript
    in short). A sample that failed has missing = "error".
    """
    return sorted((_row(sample) for sample in log.samples or []), key=lambda row: str(row["sample_id"]))


def _row(sample: EvalSample) -> dict[str, Any]:
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
        "tokens": sum(usage.output_tokens for usage in sample.model_usage.values()),
    }
    if sample.error or not sample.scores:
        reason = sample.error.message if sample.error else "the sample was not scored"
        return row | _missing("error", reason, bool(world.actions))
    verdict = verdict_of(next(iter(sample.scores.values())))
    return row | verdict.model_dump()


def _missing(cause: str, reason: str, valid: bool) -> dict[str, Any]:
    empty = {"own": None, "any": None, "act": None, "done": None, "truncated": False, "evidence": ""}
    return empty | {"missing": cause, "reason": reason, "valid": valid}


def _said(message: ChatMessageAssistant) -> str:
    calls = [
        f"{c.function}({', '.join(f'{k}={v!r}' for k, v in c.arguments.items())})" for c in message.tool_calls or []
    ]
    return "\n".join([message.text, *calls]).strip()
