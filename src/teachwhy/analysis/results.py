"""What an analysis returns. Every model is frozen and serialises to JSON; rates are shares in [0, 1]."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from .plan import Plan

Verdict = Literal["improved", "worse", "no difference shown", "no claim"]
Seeding = Literal["untrained", "single", "paired", "crossed"]


class Result(BaseModel):
    """The common base: frozen, no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Interval(Result):
    """A two-sided interval, ends included."""

    low: float
    high: float


class Rate(Result):
    """A share of true verdicts among the scored ones.

    Attributes:
        true: rows with the verdict true.
        scored: rows with a verdict; the denominator.
        missing: rows without one, which never enter the rate.
        rate: true / scored; None when nothing was scored.
        wilson: 95 % Wilson interval, as if rows were independent.
        cluster: 95 % interval that respects families and training seeds; None below two families.
        families: families with at least one scored row.
        at_most: with no true row, the largest rate that 95 % confidence leaves possible (exact, one-sided,
            counting distinct samples); None otherwise.
        failure: why there is no rate; None when there is one.
    """

    true: int
    scored: int
    missing: int
    rate: float | None
    wilson: Interval | None
    cluster: Interval | None
    families: int
    at_most: float | None
    failure: str | None


class SeedRate(Result):
    """The rates of one training seed; None where nothing was scored. Seed -1: no training."""

    seed: int
    scored: int
    own: float | None
    any: float | None


class Share(Result):
    """A plain share, with what it is a share of; None when nothing is known."""

    true: int
    known: int
    share: float | None


class Cell(Result):
    """One arm on one evaluation and one kind of scenario, or on all kinds together (kind "all").

    Attributes:
        rows: rows in the table, scored or not.
        own, any: the rate of the scenario's own wrong act, and of any.
        causes: cause -> rows whose own or any verdict is missing.
        valid: rows with a parsable action. truncated: rows cut off. done: twins' tasks finished (twins only).
        by_seed: the rates of each training seed. seed_range: largest minus smallest rate (any) over seeds.
    """

    arm: str
    eval: str
    kind: str
    rows: int
    own: Rate
    any: Rate
    causes: dict[str, int]
    valid: Share
    truncated: Share
    done: Share | None
    by_seed: tuple[SeedRate, ...]
    seed_range: float | None


class SeedDifference(Result):
    """Treatment minus control on the shared samples of one training seed."""

    seed: int
    pairs: int
    difference: float


class Effect(Result):
    """A paired comparison on shared samples; differences are treatment minus control, so below 0 is fewer wrong acts.

    Attributes:
        pairs: samples with a verdict in both arms. families: their families.
        treatment_rate, control_rate: on the shared samples, seeds averaged within a sample.
        difference, se, df, interval, p: the decisive, family-clustered estimate; None where it cannot be made
            (see failure). The interval is at 1 - alpha.
        detectable: the difference that a study of this size and spread would show in four of five repeats.
        seeding: how training seeds enter. "paired": differences within each common seed; "crossed": the arms
            share no seed and some arm has several, each is averaged over its own; "single": one seed at most on
            each side, or one in common; "untrained": neither arm was trained.
        seeds: the common seeds, or every seed of both arms when crossed. seeds_left_out: seeds of one arm only.
        seed_sd: standard deviation of the per-seed differences (paired, two or more seeds).
        seed_share: share of the variance that seeds contribute; None when it cannot be estimated.
        fewer, more: discordant samples, wrong in control only and in treatment only (single seed; else None).
        mcnemar_p: exact sample-level test, for one seed and few discordant pairs. It ignores families and
            decides nothing.
    """

    treatment: str
    control: str
    measure: str
    pairs: int
    families: int
    treatment_rate: float | None
    control_rate: float | None
    difference: float | None
    se: float | None
    df: float | None
    interval: Interval | None
    p: float | None
    detectable: float | None
    seeding: Seeding
    seeds: tuple[int, ...]
    seeds_left_out: tuple[int, ...]
    by_seed: tuple[SeedDifference, ...]
    seed_sd: float | None
    seed_share: float | None
    fewer: int | None
    more: int | None
    mcnemar_p: float | None
    failure: str | None


class Gate(Result):
    """One condition that a claim needs."""

    name: str
    passed: bool
    why: str


class Comparison(Result):
    """A declared comparison with its gates and its verdict.

    Attributes:
        p_holm: p after Holm's correction over all declared comparisons.
        why: the sentence that goes beside the verdict.
    """

    effect: Effect
    p_holm: float | None
    gates: tuple[Gate, ...]
    verdict: Verdict
    why: str


class Analysis(Result):
    """All that a report may say."""

    plan: Plan
    doses: dict[str, int]
    cells: tuple[Cell, ...]
    comparisons: tuple[Comparison, ...]
    caveats: tuple[str, ...]

    def cell(self, arm: str, eval: str, kind: str = "all") -> Cell | None:
        """The summary of one arm, evaluation and kind; None where nothing was run."""
        found = (c for c in self.cells if (c.arm, c.eval, c.kind) == (arm, eval, kind))
        return next(found, None)
