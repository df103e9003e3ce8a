"""Single intervals against known values, and what they must never do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, t
from statsmodels.stats.proportion import proportion_confint

from teachwhy.analysis.intervals import (
    at_most,
    clustered_mean,
    clustered_rate,
    detectable,
    family_spread,
    joined,
    seed_spread,
    wilson,
)


@pytest.mark.parametrize(("true", "scored"), [(0, 20), (3, 32), (64, 64), (17, 40)])
def test_wilson_is_statsmodels(true: int, scored: int) -> None:
    low, high = proportion_confint(true, scored, method="wilson")
    assert (wilson(true, scored).low, wilson(true, scored).high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("scored", [1, 10, 64, 1000])
def test_zero_events_bound_is_clopper_pearson(scored: int) -> None:
    bound = binomtest(0, scored, alternative="less").proportion_ci(0.95, "exact").high
    assert at_most(scored) == pytest.approx(bound)
    assert at_most(scored) < 3 / scored


def test_equal_families_give_the_variance_of_family_means() -> None:
    values = np.random.default_rng(0).normal(size=48)
    families = np.repeat(np.arange(6), 8)
    spread = family_spread(values, families)
    assert spread.variance == pytest.approx(values.reshape(6, 8).mean(axis=1).var(ddof=1) / 6)
    assert spread.df == pytest.approx(5)


def test_cr2_is_unbiased_for_independent_samples_in_unequal_families() -> None:
    rng = np.random.default_rng(1)
    families = np.repeat(np.arange(4), [3, 5, 10, 22])
    found = [family_spread(rng.normal(size=40), families).variance for _ in range(4000)]
    assert np.mean(found) == pytest.approx(1 / 40, rel=0.05)
    assert family_spread(rng.normal(size=40), families).df < 3


def test_all_zero_differences_are_not_certainty() -> None:
    fit = clustered_mean(np.zeros(32), np.repeat(np.arange(4), 8), [])
    assert fit.p == 1
    assert fit.high >= at_most(32)
    assert fit.se > 0


def test_families_that_agree_exactly_are_not_certainty() -> None:
    values = np.tile([1.0, -1.0, 0.0, 0.0], 8)
    fit = clustered_mean(values, np.repeat(np.arange(8), 4), [])
    assert fit.high - fit.low > 0.15


def test_interval_and_p_agree_and_match_student_where_events_are_many() -> None:
    rng = np.random.default_rng(2)
    values = rng.integers(-1, 2, 2000).astype(float) - 0.04
    families = np.repeat(np.arange(20), 100)
    fit = clustered_mean(values, families, [])
    means = values.reshape(20, 100).mean(axis=1)
    half = t.ppf(0.975, 19) * means.std(ddof=1) / np.sqrt(20)
    assert fit.high - fit.mean == pytest.approx(half, rel=0.01)
    assert (fit.p < 0.05) == (not fit.low <= 0 <= fit.high)


def test_seed_variance_widens_the_interval() -> None:
    rng = np.random.default_rng(3)
    values, families = rng.integers(-1, 2, 160).astype(float), np.repeat(np.arange(20), 8)
    one = clustered_mean(values, families, [np.array([0.1])])
    two = clustered_mean(values, families, [np.array([0.0, 0.2])])
    assert one.seed_share == 0
    assert two.seed_share > 0
    assert two.high - two.low > one.high - one.low
    assert two.df < one.df


def test_joined_adds_variances() -> None:
    both = joined([seed_spread(np.array([0.0, 0.2])), seed_spread(np.array([0.3]))])
    assert both.variance == pytest.approx(0.01)
    assert both.df == 1


def test_detectable_is_the_textbook_sum() -> None:
    assert detectable(0.1, 1e6) == pytest.approx(0.1 * (1.95996 + 0.84162), rel=1e-4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), st.integers(0, 5)), min_size=4, max_size=60))
def test_mean_interval_holds_its_estimate_and_mirrors(pairs: list[tuple[float, int]]) -> None:
    values = np.array([value for value, _ in pairs])
    families = np.unique([family for _, family in pairs], return_inverse=True)[1]
    if families.max() == 0:
        return
    fit, mirrored = clustered_mean(values, families, []), clustered_mean(-values, families, [])
    assert -1 <= fit.low <= fit.mean <= fit.high <= 1
    assert fit.low < fit.high
    assert (mirrored.mean, mirrored.low, mirrored.high) == pytest.approx((-fit.mean, -fit.high, -fit.low))
    assert mirrored.p == pytest.approx(fit.p)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=60))
def test_rate_interval_holds_its_estimate(pairs: list[tuple[bool, int]]) -> None:
    values = np.array([float(value) for value, _ in pairs])
    families = np.unique([family for _, family in pairs], return_inverse=True)[1]
    if families.max() == 0:
        return
    interval = clustered_rate(values, families, len(values), np.array([values.mean()]))
    assert 0 <= interval.low <= values.mean() <= interval.high <= 1
    assert interval.low < interval.high
