"""The assessment in a finished study: both composites of each arm, and their differences between compared arms."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from pydantic import Field

from teachwhy.analysis import Analysis, Comparison, Effect, Gate, Interval
from teachwhy.analysis.gates import FAMILIES, INERT, PAIRS, ROUNDING, SATURATED, attrition
from teachwhy.analysis.means import RATE, over_groups
from teachwhy.analysis.paired import compare
from teachwhy.evals.assessment.dimensions import Composite
from teachwhy.study.beside import Said
from teachwhy.study.composites import complete, members
from teachwhy.study.plan import StudyPlan
from teachwhy.study.results import sample_rows
from teachwhy.study.store import Store

ASSESSMENT = "assessment"
KINDS: tuple[Composite, ...] = ("bad", "good")
AWARE = "evaluation-awareness"
"""In no composite; stands beside them, since it says how far to trust them."""

Rows = Sequence[Mapping[str, Any]]


class Standing(Said):
    """One composite of one arm, or its evaluation awareness, on the scale 0 to 1.

    Attributes:
        measure: "bad", "good" or AWARE.
        mean, interval: over situations (the assessment's seeds), each weighing the same; a probe's value is its mean
            over training seeds. None as in ``analysis.over_groups``.
        situations: those with a value. scored: probes with a value, each training seed's counted.
        missing: probes in which any dimension of the composite is missing.
    """

    arm: str
    measure: str
    mean: float | None
    interval: Interval | None
    situations: int
    scored: int
    missing: int


class Difference(Said):
    """One composite between two compared arms, on the probes that are complete in both.

    Attributes:
        effect: paired by probe and training seed, clustered by situation (``analysis.paired.compare``); its families
            are situations. Of the composite "bad", below 0 is less of what is bad.
        gates: what must hold before the difference may be read; the first two are those of the declared comparison.
    """

    composite: Composite
    effect: Effect
    gates: tuple[Gate, ...]


class Assessed(Said):
    """All of it; empty where a study has no assessment.

    Attributes:
        roles: role -> the model that auditor and judge were. situations: how many were asked.
        members: the dimensions that each composite was made of here.
    """

    roles: dict[str, str] = Field(default_factory=dict)
    situations: int = 0
    members: dict[Composite, tuple[str, ...]] = Field(default_factory=dict)
    standings: tuple[Standing, ...] = ()
    differences: tuple[Difference, ...] = ()


def assessed(plan: StudyPlan, store: Store, analysis: Analysis) -> Assessed:
    """What a finished study holds of it."""
    rows = [row for row in sample_rows(plan, store, "suite") if row["eval"] == ASSESSMENT]
    return assessed_of(rows, analysis, plan.study.measured, plan.study.roles)


def assessed_of(rows: Rows, analysis: Analysis, arms: Sequence[str], roles: Mapping[str, str]) -> Assessed:
    """The same from rows.

    Args:
        rows: of the assessment, with arm and training seed. analysis: its comparisons are the ones that are made here.
        arms: in the study's order. roles: of the study.

    Raises:
        UserError: see ``composites.complete``.
    """
    if not rows:
        return Assessed()
    asked = {row["measure"] for row in rows}
    made_of = {kind: tuple(name for name in members(kind) if name in asked) for kind in KINDS}
    kinds = [kind for kind in KINDS if made_of[kind]]
    table = _probes(rows, kinds)
    measures = [*kinds, *([AWARE] if AWARE in asked else [])]
    return Assessed(
        roles=dict(roles),
        situations=len({row["group"] for row in rows}),
        members={kind: made_of[kind] for kind in kinds},
        standings=tuple(_standing(table[table["arm"] == arm], arm, name) for arm in arms for name in measures),
        differences=tuple(_differences(table, kinds, analysis)),
    )


def _probes(rows: Rows, kinds: Sequence[Composite]) -> pd.DataFrame:
    """One row a probe, with both composites and its evaluation awareness, NaN where they are missing; ``family`` is its
    situation."""
    runs: dict[tuple[str, int], list[Any]] = {}
    for row in rows:
        runs.setdefault((row["arm"], row["seed"]), []).append(row)
    found: list[dict[str, Any]] = []
    for (arm, seed), own in runs.items():
        composites = {kind: complete(own, kind) for kind in kinds}
        aware = {row["sample_id"]: row["value"] for row in own if row["measure"] == AWARE}
        for sample, situation in {row["sample_id"]: row["group"] for row in own}.items():
            key = {"arm": arm, "seed": seed, "sample_id": sample, "family": situation}
            values = {kind: composites[kind].get(sample, (situation, None))[1] for kind in kinds}
            found.append(key | values | {AWARE: aware.get(sample)})
    return pd.DataFrame(found).astype(dict.fromkeys([*kinds, AWARE], float))


def _standing(table: pd.DataFrame, arm: str, measure: str) -> Standing:
    known = table.dropna(subset=[measure])
    probes = known.groupby(["sample_id", "family"], as_index=False)[measure].mean()  # over training seeds
    mean, low, high = over_groups(probes[measure], probes["family"], RATE)
    return Standing(
        arm=arm,
        measure=measure,
        mean=mean,
        interval=None if low is None or high is None else Interval(low=low, high=high),
        situations=probes["family"].nunique(),
        scored=len(known),
        missing=len(table) - len(known),
    )


def _differences(table: pd.DataFrame, kinds: Sequence[Composite], analysis: Analysis) -> Iterable[Difference]:
    for declared in analysis.comparisons:
        effects = {kind: _effect(table, declared.effect, kind, analysis.plan.alpha) for kind in kinds}
        for kind in kinds:
            yield Difference(composite=kind, effect=effects[kind], gates=_gates(table, kind, effects, declared))


def _effect(table: pd.DataFrame, declared: Effect, kind: Composite, alpha: float) -> Effect:
    made = compare(table, declared.treatment, declared.control, kind, alpha)
    # Counts of discordant samples and McNemar's test are of verdicts that are true or false; these are scores.
    return made.model_copy(update={"fewer": None, "more": None, "mcnemar_p": None})


def _gates(
    table: pd.DataFrame, kind: Composite, effects: Mapping[Composite, Effect], declared: Comparison
) -> tuple[Gate, ...]:
    effect = effects[kind]
    shared = [gate for gate in declared.gates if gate.name in ("controls", "dose")]
    found = [attrition(table, effect), _room(effect), _enough(effect)]
    return (*shared, *found, *([_good(effect, effects.get("good"))] if kind == "bad" else []))


def _room(effect: Effect) -> Gate:
    """Fails when both arms are within SATURATED of the same end of the scale."""
    known = _values(effect)
    if known is None:
        return Gate(name="saturation", passed=False, why="no probe is complete in both arms")
    near = max(known) <= SATURATED or min(known) >= 1 - SATURATED
    return Gate(name="saturation", passed=not near, why=f"{_said(effect, known)} on a scale from 0 to 1")


def _enough(effect: Effect) -> Gate:
    """Fails with fewer than PAIRS probes that are complete in both arms, or from fewer than FAMILIES situations."""
    faults = []
    if effect.pairs < PAIRS:
        faults.append(f"probes that are complete in both arms: {effect.pairs}, at least {PAIRS} are needed")
    if effect.families < FAMILIES:
        faults.append(f"situations that they are from: {effect.families}, at least {FAMILIES} are needed")
    why = "; ".join(faults) or f"{effect.pairs} probes from {effect.families} situations"
    return Gate(name="size", passed=not faults, why=why)


def _good(effect: Effect, good: Effect | None) -> Gate:
    """Fails when the first arm has less of what is bad and also does less good, by more than INERT, or no good was
    scored: a model that does nothing is scored well on faults."""
    if effect.difference is not None and effect.difference >= 0:
        return Gate(name="good", passed=True, why=f"{effect.treatment} has no less of what is bad")
    known = _values(good) if good else None
    if good is None or known is None:
        why = f"nothing is known of the good that {effect.treatment} and {effect.control} did"
        return Gate(name="good", passed=False, why=why)
    return Gate(
        name="good", passed=known[1] - known[0] <= INERT + ROUNDING, why=f"composite good: {_said(good, known)}"
    )


def _values(effect: Effect) -> tuple[float, float] | None:
    """Both arms' means on the shared probes."""
    if effect.treatment_rate is None or effect.control_rate is None:
        return None
    return effect.treatment_rate, effect.control_rate


def _said(effect: Effect, known: tuple[float, float]) -> str:
    return f"{effect.treatment} {known[0]:.2f}, {effect.control} {known[1]:.2f}"
