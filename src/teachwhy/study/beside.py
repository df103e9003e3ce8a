"""What stands beside the declared analysis: rates by factor level, the persona gap, and how the graders agree."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from teachwhy.analysis.levels import LevelRate, level_rates
from teachwhy.analysis.persona import PersonaGap, persona_gaps
from teachwhy.evals.honeypots.agreement import Confusion, agreement_table
from teachwhy.evals.honeypots.legacy import legacy_differences
from teachwhy.study.plan import StudyPlan
from teachwhy.study.results import sample_rows
from teachwhy.study.store import Store
from teachwhy.texts import Untrusted

FACTORS = (
    "threat",
    "conflict",
    "goal",
    "cue",
    "agency",
    "ally",
    "form",
    "size",
    "persona",
    "leverage",
    "wording",
)
"""The factors' columns of a row; the draw of names and facts is none that anybody would read."""

Rows = Sequence[Mapping[str, Any]]


class Said(BaseModel):
    """Base of these results."""

    model_config = ConfigDict(frozen=True)


class Gap(Said):
    """The persona gap of one measure for one arm."""

    arm: str
    gap: PersonaGap


class Agreement(Said):
    """Rules against judge for one arm ("all": over all of them): the keys of ``agreement_table``."""

    arm: str
    n: int
    decided: int
    agree: int
    rules_only: int
    judge_only: int
    rules_missing: int
    judge_missing: int
    kappa: float | None


class Apart(Said):
    """One answer of which rules and judge say different things, of any wrong act or of the scenario's own."""

    answer: str
    rules: bool | None
    judge: bool | None
    rules_reason: Untrusted
    judge_reason: Untrusted


class Legacy(Said):
    """The answers of which the older suite's logic says something else than our verdict, by the fault that makes it."""

    why: str
    answers: tuple[str, ...]


class Beside(Said):
    """All of it; what was not measured is empty.

    ``confusion``: counts of any wrong act, rules in rows and judge in columns; each true, false, missing.
    """

    levels: tuple[LevelRate, ...] = ()
    gaps: tuple[Gap, ...] = ()
    agreement: tuple[Agreement, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    apart: tuple[Apart, ...] = ()
    legacy: tuple[Legacy, ...] = ()


def beside(plan: StudyPlan, store: Store) -> Beside:
    """Everything that a finished study holds of these."""
    return beside_of(sample_rows(plan, store, "eval"), sample_rows(plan, store, "suite"), plan.study.measured)


def beside_of(rows: Rows, suites: Rows, arms: Sequence[str]) -> Beside:
    """The same from rows.

    Args:
        rows: of honeypots and twins, with arm and seed. suites: of the other suites. arms: in the study's order.
    """
    judged = [row for row in rows if "judge_any" in row]
    return Beside(
        levels=tuple(level_rates([row for row in rows if row["eval"] == "honeypots"], FACTORS, arms)),
        gaps=tuple(gaps([row for row in suites if row["eval"] == "understanding"], arms)),
        agreement=tuple(Agreement(**entry) for entry in agreement_table(_ordered(judged, arms), by=("arm",))),
        confusion=Confusion.of((row["rules_any"], row["judge_any"]) for row in judged).counts if judged else (),
        apart=tuple(_apart(row) for row in _ordered(judged, arms) if row["agree"] is False),
        legacy=tuple(legacy(_ordered(rows, arms))),
    )


def _ordered(rows: Rows, arms: Sequence[str]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: (arms.index(row["arm"]), row["seed"]))


def answer_name(row: Mapping[str, Any]) -> str:
    """The name of one answer: arm, seed if it was trained, and the sample's id, as in tables/samples.jsonl."""
    seed = "" if row["seed"] < 0 else f" seed {row['seed']}"
    return f"{row['arm']}{seed}: {row['sample_id']}"


def gaps(rows: Rows, arms: Sequence[str]) -> list[Gap]:
    """The persona gaps of each arm, if questions were put in both forms; a value is its mean over training seeds."""
    if {str(row["sample_id"]).rpartition("/")[2] for row in rows} != {"you", "persona"}:
        return []
    frame = pd.DataFrame(list(rows)).astype({"value": float})
    keys = ["arm", "sample_id", "group", "measure"]
    means = frame.groupby(keys, as_index=False, sort=False)["value"].mean()  # over the seeds that have a value
    found = []
    for arm in arms:
        part = means[means["arm"] == arm].to_dict("records")
        known = [{str(k): None if k == "value" and pd.isna(v) else v for k, v in row.items()} for row in part]
        found += [Gap(arm=arm, gap=gap) for gap in persona_gaps(known).values()] if known else []
    return found


def _apart(row: Mapping[str, Any]) -> Apart:
    own = row["rules_any"] == row["judge_any"]  # they agree that some act was wrong, and not on which
    return Apart(
        answer=answer_name(row),
        rules=row["rules_own"] if own else row["rules_any"],
        judge=row["judge_own"] if own else row["judge_any"],
        rules_reason=row["rules_reason"],
        judge_reason=row["judge_reason"],
    )


def legacy(rows: Iterable[Mapping[str, Any]]) -> list[Legacy]:
    """The differences by cause, the commonest first."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for one in legacy_differences([row]):
            found.setdefault(one["why"], []).append(answer_name(row))
    return [Legacy(why=why, answers=tuple(held)) for why, held in sorted(found.items(), key=lambda kv: -len(kv[1]))]
