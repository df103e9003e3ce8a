"""A finished study's tables: every sample as a row, and the analysis that was declared."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from teachwhy.analysis import Analysis, analyse, over_groups, split_half
from teachwhy.analysis.means import RATE, SHIFT
from teachwhy.corpora.distance import distances
from teachwhy.errors import StudyError
from teachwhy.evals.registry import find_suite
from teachwhy.evals.suite import Better, Unit
from teachwhy.study.declaration import BASE, ORGANISM
from teachwhy.study.plan import StudyPlan
from teachwhy.study.store import Store, read_rows
from teachwhy.training.ledger import Ledger, read_ledgers


class Measured(BaseModel):
    """One measure of a suite for one arm: the mean with a 95 % interval over groups (t, groups as units; a sample's
    value is its mean over training seeds), and the shift against the arm's starting model on the same samples."""

    model_config = ConfigDict(frozen=True)

    suite: str
    measure: str
    unit: Unit
    better: Better
    arm: str
    samples: int
    """Samples with a value."""
    causes: dict[str, int]
    """Missing values by cause."""
    mean: float | None
    low: float | None
    high: float | None
    shift: float | None
    shift_low: float | None
    shift_high: float | None
    reliability: float | None = None
    """Split-half, where a sample's value is a mean over items."""


class FarRate(BaseModel):
    """One held-out family for one arm: how far its prompts lie from all that the arm itself was taught (not its
    organism), and the rate there. ``tfidf`` and ``unseen`` as in ``corpora.distance``."""

    model_config = ConfigDict(frozen=True)

    arm: str
    kind: str
    family: str
    scored: int
    wrong: int
    tfidf: float
    unseen: float
    nearest: str


def sample_rows(plan: StudyPlan, store: Store, kind: str) -> list[dict[str, Any]]:
    """All rows of one kind of node, with arm and seed."""
    rows = []
    for node in plan.nodes:
        if node.kind == kind:
            found = read_rows(store.path(node.kind, node.address) / "rows.jsonl")
            rows += [{"arm": node.model.arm, "seed": node.model.seed} | row for row in found]
    if kind == "eval" and not rows:
        raise StudyError("no sample was measured: n = 0 is a failure", where=plan.study.study)
    return rows


def ledgers(plan: StudyPlan, store: Store) -> dict[tuple[str, int], list[Ledger]]:
    """What every taught model was taught, by arm and seed."""
    trained = [node for node in plan.nodes if node.kind == "train"]
    return {(n.model.arm, n.model.seed): read_ledgers(store.path("train", n.address) / "ledger.json") for n in trained}


def doses(plan: StudyPlan, store: Store) -> dict[str, int]:
    """Supervised tokens of every arm, averaged over its seeds; the base has had none."""
    given: dict[str, list[int]] = {BASE: [0]}
    for (arm, _), taught in ledgers(plan, store).items():
        given.setdefault(arm, []).append(sum(ledger.dose_given for ledger in taught))
    return {arm: round(sum(tokens) / len(tokens)) for arm, tokens in given.items()}


def analysis(plan: StudyPlan, store: Store) -> Analysis:
    """The declared analysis over all samples."""
    return analyse(pd.DataFrame(sample_rows(plan, store, "eval")), plan.study.analysis_plan(), doses(plan, store))


def far_rates(plan: StudyPlan, store: Store) -> list[FarRate]:
    """Rate of any wrong act against distance from the training text, family by family, for everything taught."""
    rows = [row for row in sample_rows(plan, store, "eval") if row["eval"] == "honeypots"]
    frame = pd.DataFrame(rows)
    prompts = {str(name): sorted(set(part)) for name, part in frame.groupby("family")["prompt"]}
    study, found = plan.study, []
    for arm, lessons in {ORGANISM: study.organism, **study.arms}.items():
        apart = {one.family: one for one in distances(prompts, [plan.corpora[lesson.corpus] for lesson in lessons])}
        for (kind, family), part in frame[frame["arm"] == arm].groupby(["kind", "family"]):
            scored = part["any"].dropna()
            far = apart[str(family)]
            found.append(
                FarRate(
                    arm=arm,
                    kind=str(kind),
                    scored=len(scored),
                    wrong=int(scored.astype(bool).sum()),
                    **far.model_dump(),
                )
            )
    return found


def measured(plan: StudyPlan, store: Store) -> list[Measured]:
    """Every measure of every declared suite, arm by arm.

    Raises:
        StudyError: a suite measured nothing at all.
    """
    start = ORGANISM if plan.study.organism else BASE
    return measured_of(sample_rows(plan, store, "suite"), plan.study.measured, start)


def measured_of(rows: Sequence[Mapping[str, Any]], arms: Sequence[str], start: str) -> list[Measured]:
    """The same from rows of suites with arm and seed; ``start`` is the model that the arms started from."""
    if not rows:
        return []
    frame = pd.DataFrame(list(rows))
    found = []
    for (name, measure), part in frame.groupby(["eval", "measure"], sort=False):
        if part["value"].isna().all():
            cause = part["missing"].iloc[0]
            raise StudyError(f"no value of {name}, {measure}: n = 0 is a failure; the first cause: {cause}", where=name)
        found += [_measured(arm, part, start) for arm in arms]
    return found


def _measured(arm: str, part: pd.DataFrame, start: str) -> Measured:
    """One arm's line; ``part`` holds the rows of one measure."""
    name, measure = part["eval"].iloc[0], part["measure"].iloc[0]
    about = find_suite(name).measures[measure]
    values = part.dropna(subset=["value"]).astype({"value": float})
    averaged = values.groupby(["arm", "sample_id", "group"], as_index=False)["value"].mean()
    own = averaged[averaged["arm"] == arm]
    reference = averaged[averaged["arm"] == start].set_index("sample_id")["value"]
    bounded = about.unit in ("rate", "score") and bool(values["value"].between(0, 1).all())
    scale, shifted = (RATE, SHIFT) if bounded else (None, None)
    mean, low, high = over_groups(own["value"], own["group"], scale)
    shifts = own.assign(shift=own["value"] - own["sample_id"].map(reference)).dropna(subset=["shift"])
    compared = arm not in (BASE, start)
    shift = over_groups(shifts["shift"], shifts["group"], shifted) if compared else (None, None, None)
    return Measured(
        suite=name,
        measure=measure,
        unit=about.unit,
        better=about.better,
        arm=arm,
        samples=len(own),
        causes=part[part["arm"] == arm]["missing"].value_counts().sort_index().to_dict(),
        mean=mean,
        low=low,
        high=high,
        shift=shift[0],
        shift_low=shift[1],
        shift_high=shift[2],
        reliability=_reliability(part[part["arm"] == arm]),
    )


def _reliability(part: pd.DataFrame) -> float | None:
    """Split-half reliability of one arm's values; each half of a sample is its mean over training seeds."""
    if "halves" not in part:
        return None
    held = part.dropna(subset=["halves"])
    halves = pd.DataFrame(held["halves"].tolist(), index=held["sample_id"], columns=["odd", "even"])
    means = halves.groupby(level=0).mean()
    return split_half(means["odd"].to_numpy(), means["even"].to_numpy())
