"""Two arms on the same samples: the paired, family-clustered difference."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from .frame import UNTRAINED
from .intervals import Clustered, Codes, Floats, clustered_mean, detectable
from .results import Effect, Interval, SeedDifference, Seeding

EXACT_UP_TO = 25
"""Discordant pairs up to which McNemar's exact test is printed; above it adds nothing to the decisive test."""


@dataclass(frozen=True)
class Pairs:
    """Two arms lined up on shared samples.

    Attributes:
        treatment, control: a sample's rate in each arm, averaged over seeds; shape (n,).
        families: family codes 0..F-1; shape (n,).
        seeding, seeds, left_out: see results.Effect.
        by_seed: per-seed mean differences, when arms are paired by seed.
        seed_means: the per-seed means whose variance is training variation (see intervals.clustered_mean).
    """

    treatment: Floats
    control: Floats
    families: Codes
    seeding: Seeding
    seeds: tuple[int, ...]
    left_out: tuple[int, ...]
    by_seed: tuple[SeedDifference, ...]
    seed_means: list[Floats]

    @property
    def differences(self) -> Floats:
        """Treatment minus control per sample."""
        return self.treatment - self.control


def pair(table: pd.DataFrame, treatment: str, control: str, measure: str) -> Pairs:
    """Line up two arms on the samples that both have a verdict for.

    Where the arms share training seeds, a sample's difference is the mean over the shared seeds in which both
    verdicts are known, and other seeds are left out. Arms that share none (a trained arm against the untrained
    base) are each averaged over their own seeds first.

    Args:
        table: rows of one evaluation from `frame.checked`.
        measure: "own" or "any"; of other evaluations any column of numbers from 0 to 1, NaN where missing.
    """
    left, right = _wide(table, treatment, measure), _wide(table, control, measure)
    samples = left.index.intersection(right.index).sort_values()
    left, right = left.loc[samples], right.loc[samples]
    mine, theirs = _seeds(left), _seeds(right)
    common, every = sorted(mine & theirs), sorted(mine | theirs)
    used = common or every
    if common:
        both = left[common].notna() & right[common].notna()
        left, right = left[common].where(both), right[common].where(both)
    keep = left.notna().any(axis=1) & right.notna().any(axis=1)
    left, right = left[keep], right[keep]
    family = table.drop_duplicates("sample_id").set_index("sample_id")["family"].loc[left.index]
    return Pairs(
        treatment=left.mean(axis=1).to_numpy(dtype=np.float64),
        control=right.mean(axis=1).to_numpy(dtype=np.float64),
        families=np.unique(family.to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64),
        seeding=_seeding(mine, theirs),
        seeds=tuple(used),
        left_out=tuple(seed for seed in every if seed not in used),
        by_seed=_by_seed(left - right, common),
        seed_means=[_means(left - right)] if common else [_means(left), _means(right)],
    )


def compare(table: pd.DataFrame, treatment: str, control: str, measure: str = "any", alpha: float = 0.05) -> Effect:
    """The paired difference treatment - control, clustered by family.

    The decisive test is a t test on the mean of the samples' differences with a CR2 variance over families, half a
    pseudo-observation and, with several training seeds, the variance between seeds (see intervals). Below two
    families, or without a shared sample, there is no estimate but a stated failure.

    Simulated coverage of the 95 % interval (benchmarks/coverage.py, rates 0.02 to 0.5, 4, 8 and 20 families):

    - One seed: 93-97 % in most designs, and "improved" where nothing is in at most 3.6 %.
    - Above 97 %, up to 100 %, where few discordant pairs are expected (rate 0.02 in up to 8 families, 0.1 in 4): the
      count is too coarse for any exact level there. Also above with families of very unequal size.
    - Below 93 %, down to 89 %, when rates fall to 0.02 and families differ strongly (one logit or more): few
      families then carry the effect, and nearly all misses understate it.
    - Several seeds: 96-99 % where seeds differ by up to 0.2 logits. With two seeds that differ by 0.5 logits and 20
      families it falls to 88 %, and "improved" is said wrongly in up to 6 %: two runs barely estimate a variance.

    Args:
        table: rows of one evaluation from `frame.checked`; of other evaluations any with the columns arm, seed,
            sample_id, family and the measure's.
        measure: "own" or "any"; of other evaluations any column of numbers from 0 to 1, NaN where missing.
        alpha: two-sided level.
    """
    pairs = pair(table, treatment, control, measure)
    failure = _failure(pairs)
    fit = None if failure else clustered_mean(pairs.differences, pairs.families, pairs.seed_means, alpha)
    fewer, more = _discordant(pairs)
    deviation = np.array([seed.difference for seed in pairs.by_seed])
    return Effect(
        treatment=treatment,
        control=control,
        measure=measure,
        pairs=len(pairs.treatment),
        families=len(np.unique(pairs.families)),
        treatment_rate=float(pairs.treatment.mean()) if len(pairs.treatment) else None,
        control_rate=float(pairs.control.mean()) if len(pairs.control) else None,
        difference=fit.mean if fit else None,
        se=fit.se if fit else None,
        df=fit.df if fit else None,
        interval=Interval(low=fit.low, high=fit.high) if fit else None,
        p=fit.p if fit else None,
        detectable=detectable(fit.se, fit.df, alpha) if fit else None,
        seeding=pairs.seeding,
        seeds=pairs.seeds,
        seeds_left_out=pairs.left_out,
        by_seed=pairs.by_seed,
        seed_sd=float(deviation.std(ddof=1)) if len(deviation) > 1 else None,
        seed_share=_seed_share(pairs, fit),
        fewer=fewer,
        more=more,
        mcnemar_p=mcnemar(fewer, more) if fewer is not None and more is not None else None,
        failure=failure,
    )


def mcnemar(fewer: int, more: int) -> float | None:
    """McNemar's exact two-sided p from the two discordant counts (binomial, 1/2); None above EXACT_UP_TO."""
    discordant = fewer + more
    if discordant > EXACT_UP_TO:
        return None
    return float(binomtest(fewer, discordant, 0.5).pvalue) if discordant else 1.0


def _wide(table: pd.DataFrame, arm: str, measure: str) -> pd.DataFrame:
    return table[table["arm"] == arm].pivot(index="sample_id", columns="seed", values=measure)


def _seeds(wide: pd.DataFrame) -> set[int]:
    return {int(seed) for seed in wide.columns.to_numpy()}


def _seeding(mine: set[int], theirs: set[int]) -> Seeding:
    common = mine & theirs
    if len(common) > 1:
        return "paired"
    if max(mine | theirs) == UNTRAINED:
        return "untrained"
    return "crossed" if not common and max(len(mine), len(theirs)) > 1 else "single"


def _by_seed(difference: pd.DataFrame, common: list[int]) -> tuple[SeedDifference, ...]:
    known = [(seed, difference[seed].dropna()) for seed in common]
    return tuple(
        SeedDifference(seed=seed, pairs=len(part), difference=float(part.mean())) for seed, part in known if len(part)
    )


def _means(wide: pd.DataFrame) -> Floats:
    return wide.mean().dropna().to_numpy(dtype=np.float64)


def _failure(pairs: Pairs) -> str | None:
    if len(pairs.treatment) == 0:
        return "no sample has a verdict in both arms"
    if len(np.unique(pairs.families)) < 2:
        return "all shared samples belong to one family: nothing can be said of other stories"
    return None


def _seed_share(pairs: Pairs, fit: Clustered | None) -> float | None:
    estimable = any(len(means) > 1 for means in pairs.seed_means)
    return fit.seed_share if fit and estimable else None


def _discordant(pairs: Pairs) -> tuple[int | None, int | None]:
    if any(len(means) > 1 for means in pairs.seed_means):
        return None, None
    return int((pairs.differences < 0).sum()), int((pairs.differences > 0).sum())
