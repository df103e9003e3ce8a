"""Scoring stored transcripts again with a judge: the measured model is asked nothing, the stored log stays as it is."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspect_ai import score as inspect_score
from inspect_ai.log import EvalLog, EvalSample, read_eval_log, write_eval_log
from inspect_ai.model import Model

from teachwhy.errors import TeachwhyError, UserError
from teachwhy.evals.honeypots.agreement import Confusion, agreement_table, shown
from teachwhy.evals.honeypots.graders import ATTRITION, Graders, declared, graders_address
from teachwhy.evals.honeypots.task import VERSION, judge_and_rules, judged_metrics, scenario_of
from teachwhy.evals.honeypots.world import World
from teachwhy.evals.judging import ROLE
from teachwhy.evals.rows import honeypot_rows
from teachwhy.hashing import digest, file_digest
from teachwhy.models.reach import open_model


@dataclass(frozen=True)
class Rejudged:
    """A stored log and its copy with a judge's verdicts."""

    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    path: Path
    """The new log."""
    judge: str
    note: str = ""


def rejudge(
    log_path: Path,
    judge: str | Model,
    *,
    out: Path,
    verdict: str = "judge",
    attrition: float = ATTRITION,
) -> Rejudged:
    """Grade the transcripts of a stored honeypot log with a judge, into a new log under ``out``.

    The new log's name holds the hash of the old log, the rubrics, the judge's name and the settings; if it is there
    already, it is read and nothing is asked again. The rules are applied anew as well, as they are now.

    Raises:
        UserError: no honeypot log, a log without samples, scenarios that have changed since, an unknown verdict.
        TeachwhyError: the judge failed on more samples than ``attrition`` allows; nothing is written then.
    """
    chosen = declared(judge=True, verdict=verdict, attrition=attrition)
    stored = _read(log_path)
    before = honeypot_rows(stored)
    name = judge if isinstance(judge, str) else str(judge)
    path = out / f"{log_path.stem}-{_address(log_path, chosen, name)}.eval"
    made = read_eval_log(str(path)) if path.exists() else _judged(stored, judge, chosen, path)
    return Rejudged(before, honeypot_rows(made), path, name, _note(stored))


def _address(log_path: Path, chosen: Graders, judge: str) -> str:
    return digest([file_digest(log_path), VERSION, graders_address(chosen, judge)])[:12]


def _read(log_path: Path) -> EvalLog:
    if not log_path.is_file():
        raise UserError("there is no such log", where=log_path, mend="name an .eval file of an evaluation of honeypots")
    try:
        log = read_eval_log(str(log_path), resolve_attachments=True)
    except Exception as error:
        raise UserError(f"the log cannot be read: {error}", where=log_path) from None
    if not log.samples:
        raise UserError("the log has no samples", where=log_path, mend="n = 0 is nothing to judge")
    _refuse_others(log.samples, log_path)
    return log


def _refuse_others(samples: Sequence[EvalSample], where: Path) -> None:
    """The judge is shown the scenario as it is now, so it must be the one that was put."""
    for sample in samples:
        if not _is_honeypot(sample):
            raise UserError("the log is of no honeypots", where=where, mend="only honeypots and twins are judged")
        scenario = scenario_of(sample.metadata)
        put = [message.text for message in sample.input if not isinstance(message, str)]
        mails = [mail["body"] for mail in sample.store_as(World).mails]
        now = [message["content"] for message in scenario.messages()]
        if put != now or mails not in ([], [mail.body for mail in scenario.inbox()]):
            raise UserError(
                "a scenario has changed since this log was made", where=f"{where}, {sample.id}", mend="measure it anew"
            )


def _is_honeypot(sample: EvalSample) -> bool:
    held = all("verdict" in (score.metadata or {}) for score in (sample.scores or {}).values())
    return "family" in sample.metadata and not isinstance(sample.input, str) and held


def _judged(stored: EvalLog, judge: str | Model, chosen: Graders, path: Path) -> EvalLog:
    alive = [sample for sample in stored.samples or [] if not sample.error]
    if not alive:
        raise TeachwhyError("every sample of the log had failed", where=path.name, mend="measure again")
    failed = [sample for sample in stored.samples or [] if sample.error]
    # Roles and model of the old run are not set up again: the old judge may be gone, and the model is not asked.
    log = stored.model_copy(update={"samples": alive, "eval": stored.eval.model_copy(update={"model_roles": None})})
    made = inspect_score(
        log,
        judge_and_rules(chosen.verdict),
        metrics=judged_metrics(chosen.attrition, len({sample.id for sample in alive})),  # repeats count as a share
        model="none",
        model_roles={ROLE: open_model(judge)},
        action="overwrite",
        display="none",
    )
    made.samples = sorted([*(made.samples or []), *failed], key=lambda sample: (str(sample.id), sample.epoch))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    write_eval_log(made, str(draft))
    draft.replace(path)
    return made


def _note(stored: EvalLog) -> str:
    if stored.eval.task_version == VERSION:
        return ""
    return f"the log is of evaluation version {stored.eval.task_version}, the rules now are of version {VERSION}"


def rejudged_text(result: Rejudged) -> str:
    """What `teachwhy eval --rejudge LOG --judge M` prints: old against new verdicts, and rules against judge."""
    old = {row["sample_id"]: row for row in result.before}
    confusion = Confusion.of((old[row["sample_id"]]["any"], row["any"]) for row in result.after)
    lines = [f"{len(result.after)} stored samples judged again by {result.judge}"]
    lines += [f"  note: {result.note}"] if result.note else []
    lines += confusion.table("old verdict", "new verdict")
    lines += [f"  kappa {shown(confusion.kappa())} over true, false and missing; {shown(confusion.kappa_decided())} "]
    lines[-1] += f"over the {confusion.decided} that both decide"
    lines += _rules_against_judge(result.after)
    return "\n".join([*lines, f"log: {result.path}"])


def _rules_against_judge(rows: Sequence[dict[str, Any]]) -> list[str]:
    whole = agreement_table(rows, by=())[0]
    missing = _causes(rows)
    lines = [
        f"  rules and judge: {whole['agree']} of {whole['decided']} decided alike, kappa {shown(whole['kappa'])}; "
        f"judge missing {whole['judge_missing']}{f' ({missing})' if missing else ''}"
    ]
    apart = [row for row in rows if row["agree"] is False]
    lines += [f"  {len(apart)} disagreements of rules and judge" + (":" if apart else "")]
    for row in apart:
        lines += [
            f"    {row['sample_id']}",
            f"      rules {_say(row['rules_any'])}: {row['rules_reason']}",
            f"      judge {_say(row['judge_any'])}: {row['judge_reason']}",
        ]
    return lines


def _causes(rows: Sequence[dict[str, Any]]) -> str:
    causes = [row["judge_missing"] for row in rows if row["judge_any"] is None]
    return ", ".join(f"{causes.count(cause)} {cause}" for cause in sorted(set(causes)))


def _say(value: bool | None) -> str:
    return {True: "true", False: "false", None: "missing"}[value]
