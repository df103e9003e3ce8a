"""Intervals for a rate and for a mean difference when samples come in families.

Methods, with their sources:

- CR2 variance of a mean: each family's residual sum is divided by sqrt(1 - its share of the samples), which makes
  the variance unbiased for independent samples (Bell and McCaffrey 2002, Survey Methodology 28). With families of
  equal size it is the variance of the family means over their number.
- Degrees of freedom: Bell and McCaffrey's Satterthwaite approximation (Imbens and Kolesar 2016, REStat 98); F - 1
  with families of equal size, fewer the more unequal they are.
- Training seeds: the variance of the mean over seeds is added to the family variance (the sum of both one-way
  variances, without the subtraction of Cameron, Gelbach and Miller 2011; Davezies, D'Haultfoeuille and Guyonvarch
  2021, Annals of Statistics 49), and Satterthwaite's formula joins the degrees of freedom. Two seeds estimate a
  variance so badly that the subtraction would promise too much; without it the interval is somewhat too wide where
  seeds do not differ.
- Few events: half a pseudo-observation (1/4 over the squared number of samples) is added to the variance of a
  difference, in the spirit of Agresti and Min (2005, Statistics in Medicine 24), and no interval is narrower than
  the exact bound for zero events, so that all-zero differences never print as certainty.
- A rate: Wilson's interval (1927) with the effective sample size n / design effect and Student's quantile in place
  of the normal one (Dean and Pagano 2015, J. Survey Statistics and Methodology 3; Franco et al. 2019, same, 7).

How well they cover is simulated in benchmarks/coverage.py.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit
from statsmodels.stats.proportion import proportion_confint

from .results import Interval

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

LEVEL = 0.95
"""Confidence of the intervals of single rates."""
PSEUDO = 0.25
"""Added to the variance of a sum of differences. Smallest value at which coverage never fell below 93 % with
4 families of 8 samples and moderate spread; 0.5 makes 4 families needlessly wide."""
WITHIN_SHARE = 0.1
"""The family variance may not fall below this share of what independent samples would give: families that agree
to the last digit do so by chance. Larger shares widen intervals that are already wide enough."""
DESIGN_FLOOR = 0.3
"""The least design effect believed: with few families the estimate falls far below 1 by chance alone."""


@dataclass(frozen=True)
class Spread:
    """The variance of a mean and the degrees of freedom it is known with."""

    variance: float
    df: float


@dataclass(frozen=True)
class Clustered:
    """A mean with its family-clustered interval at 1 - alpha and two-sided p against zero."""

    mean: float
    se: float
    df: float
    low: float
    high: float
    p: float
    seed_share: float


def wilson(true: int, scored: int, level: float = LEVEL) -> Interval:
    """Wilson's interval for `true` of `scored` independent rows; scored must be at least 1."""
    low, high = proportion_confint(true, scored, alpha=1 - level, method="wilson")
    return Interval(low=min(float(low), true / scored), high=max(float(high), true / scored))


def at_most(scored: int, level: float = LEVEL) -> float:
    """The largest rate under which zero of `scored` independent samples is not too rare (exact, one-sided).

    Clopper and Pearson's bound at zero events, 1 - (1 - level)^(1/n), near 3/n ("rule of three"). scored >= 1.
    """
    return -math.expm1(math.log1p(-level) / scored)


def family_spread(values: Floats, families: Codes) -> Spread:
    """CR2 variance of the plain mean of values, and its Satterthwaite degrees of freedom.

    Args:
        values: one number per sample, shape (n,).
        families: each sample's family as 0..F-1, every code in use, F >= 2; shape (n,).
    """
    total = len(values)
    sizes = np.bincount(families).astype(np.float64)
    residuals = np.bincount(families, weights=values) - sizes * values.mean()
    scale = 1.0 / (1.0 - sizes / total)
    variance = float((residuals**2 * scale).sum()) / total**2
    return Spread(variance, _degrees(sizes, scale))


def _degrees(sizes: Floats, scale: Floats) -> float:
    """Satterthwaite degrees of freedom of the CR2 variance: its trace squared over the trace of its square."""
    root = np.sqrt(scale) * sizes
    form = np.diag(sizes * scale) - np.outer(root, root) / sizes.sum()
    return float(np.trace(form) ** 2 / (form**2).sum())


def seed_spread(means: Floats) -> Spread:
    """The variance of a mean over training seeds; zero variance where one seed leaves it unknown."""
    count = len(means)
    return Spread(float(means.var(ddof=1)) / count, count - 1) if count > 1 else Spread(0.0, 1.0)


def joined(spreads: list[Spread]) -> Spread:
    """The sum of independent variances, with Satterthwaite's degrees of freedom."""
    variance = sum(part.variance for part in spreads)
    if variance == 0:
        return Spread(0.0, max(1.0, spreads[0].df))
    known = sum(part.variance**2 / part.df for part in spreads)
    return Spread(variance, max(1.0, variance**2 / known))


def clustered_mean(values: Floats, families: Codes, seeds: list[Floats], alpha: float = 0.05) -> Clustered:
    """Mean paired difference with an interval and a p-value that agree with each other.

    Args:
        values: differences in [-1, 1], one per sample, seeds averaged; shape (n,).
        families: each sample's family as 0..F-1, F >= 2.
        seeds: one array of per-seed means for each independent set of training runs (one for arms paired by
            seed, two for arms that share none); arrays of length 1 add nothing.
    """
    total = len(values)
    mean = float(values.mean())
    within = ((float((values**2).sum()) + 1) / (total + 1) - mean**2) / (total + 1)
    family = family_spread(values, families)
    steady = Spread(max(family.variance, WITHIN_SHARE * within) + PSEUDO / total**2, family.df)
    spread = joined([steady, *(seed_spread(means) for means in seeds)])
    quantile = float(stdtrit(spread.df, 1 - alpha / 2))
    half = max(quantile * math.sqrt(spread.variance), -math.log(alpha) / total)
    se = half / quantile
    return Clustered(
        mean=mean,
        se=se,
        df=spread.df,
        low=max(-1.0, mean - half),
        high=min(1.0, mean + half),
        p=2 * float(stdtr(spread.df, -abs(mean) / se)),
        seed_share=1 - steady.variance / spread.variance,
    )


def clustered_rate(values: Floats, families: Codes, samples: int, seeds: Floats) -> Interval:
    """A 95 % interval for a rate when rows come in families and from several training seeds.

    Args:
        values: 0.0 or 1.0 per scored row, shape (n,). families: codes 0..F-1, F >= 2.
        samples: distinct samples among the rows; the sample size when all verdicts agree.
        seeds: the rate of each training seed.
    """
    total, rate = len(values), float(values.mean())
    spread = joined([family_spread(values, families), seed_spread(seeds)])
    binomial = rate * (1 - rate) / total
    design = max(DESIGN_FLOOR, spread.variance / binomial) if binomial > 0 else total / samples
    effective = total / design
    square = float(stdtrit(spread.df, 1 - (1 - LEVEL) / 2)) ** 2 / effective
    middle = (rate + square / 2) / (1 + square)
    half = math.sqrt(rate * (1 - rate) * square + square**2 / 4) / (1 + square)
    return Interval(low=max(0.0, min(rate, middle - half)), high=min(1.0, max(rate, middle + half)))


def detectable(se: float, df: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The difference that a test at alpha finds with this power: (t_(1 - alpha/2) + t_power) * se."""
    return float(stdtrit(df, 1 - alpha / 2) + stdtrit(df, power)) * se
