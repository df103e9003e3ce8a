"""The paired comparison: pairing, seeds, exact values and symmetry."""

import numpy as np
import pandas as pd
import pytest
from analysis_tables import first, rows
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp

from teachwhy.analysis import Effect, compare
from teachwhy.analysis.frame import checked
from teachwhy.analysis.paired import EXACT_UP_TO, mcnemar

Verdicts = list[bool | None]
verdicts = st.lists(st.sampled_from([True, False, None]), min_size=40, max_size=40)


def effect(*parts: list[dict[str, object]], a: str = "a", b: str = "b") -> Effect:
    return compare(checked(pd.DataFrame([row for part in parts for row in part])), a, b)


@pytest.mark.parametrize(("fewer", "more"), [(0, 0), (9, 1), (5, 5), (13, 12), (0, 6)])
def test_mcnemar_is_the_exact_binomial(fewer: int, more: int) -> None:
    expected = binomtest(fewer, fewer + more, 0.5).pvalue if fewer + more else 1.0
    assert mcnemar(fewer, more) == pytest.approx(expected)


def test_mcnemar_is_left_out_when_discordant_pairs_are_many() -> None:
    assert mcnemar(EXACT_UP_TO, 1) is None


def test_known_example() -> None:
    found = effect(rows("a", first(4)), rows("b", first(12)))
    assert (found.pairs, found.families, found.fewer, found.more) == (48, 8, 8, 0)
    assert found.difference == pytest.approx(-8 / 48)
    assert found.mcnemar_p == pytest.approx(2 / 2**8)


def test_close_to_the_t_test_on_family_means() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.random(480) < 0.3, rng.random(480) < 0.5
    found = effect(rows("a", a.tolist(), families=12), rows("b", b.tolist(), families=12))
    means = (a.astype(float) - b).reshape(40, 12).mean(axis=0)
    assert found.p == pytest.approx(ttest_1samp(means, 0).pvalue, rel=0.1)
    assert found.df == pytest.approx(11)


@settings(max_examples=40, deadline=None)
@given(verdicts, verdicts)
def test_swapping_the_arms_mirrors_everything(a: Verdicts, b: Verdicts) -> None:
    forth, back = effect(rows("a", a), rows("b", b)), effect(rows("a", a), rows("b", b), a="b", b="a")
    assert (forth.pairs, forth.failure) == (back.pairs, back.failure)
    assert forth.pairs == sum(x is not None and y is not None for x, y in zip(a, b, strict=True))
    if forth.difference is None or forth.interval is None or back.interval is None:
        return
    assert forth.difference == pytest.approx(-(back.difference or 0.0))
    assert forth.interval.low <= forth.difference <= forth.interval.high
    assert (forth.interval.low, forth.interval.high) == pytest.approx((-back.interval.high, -back.interval.low))
    assert (forth.p, forth.mcnemar_p) == pytest.approx((back.p, back.mcnemar_p))
    assert (forth.fewer, forth.more) == (back.more, back.fewer)


def test_a_missing_verdict_drops_the_pair_and_is_no_zero() -> None:
    whole = effect(rows("a", first(10)), rows("b", first(20)))
    b: Verdicts = [None] * 10 + first(10, 38)
    less = effect(rows("a", first(10)), rows("b", b))
    assert whole.treatment_rate == pytest.approx(10 / 48)
    assert less.pairs == 38
    assert less.treatment_rate == 0
    assert less.control_rate == pytest.approx(10 / 38)


def test_common_seeds_are_paired_and_others_left_out() -> None:
    found = effect(
        rows("a", first(4), 0),
        rows("a", first(8), 1),
        rows("a", first(48), 2),
        rows("b", first(20), 0),
        rows("b", first(20), 1),
        rows("b", first(0), 5),
    )
    assert (found.seeding, found.seeds, found.seeds_left_out) == ("paired", (0, 1), (2, 5))
    assert [s.difference for s in found.by_seed] == pytest.approx([-16 / 48, -12 / 48])
    assert found.difference == pytest.approx(-14 / 48)
    assert found.seed_sd == pytest.approx(np.std([-16 / 48, -12 / 48], ddof=1))
    assert found.seed_share is not None
    assert found.mcnemar_p is None


def test_a_seed_counts_for_a_sample_only_where_both_arms_were_scored() -> None:
    a1: Verdicts = [None, *first(0, 47)]
    found = effect(rows("a", first(1), 0), rows("a", a1, 1), rows("b", first(0), 0), rows("b", first(48), 1))
    assert found.pairs == 48
    assert found.treatment_rate == pytest.approx(1 / 48)


def test_arms_without_a_common_seed_are_crossed() -> None:
    found = effect(rows("a", first(4), 0), rows("a", first(8), 1), rows("b", first(20), -1))
    assert (found.seeding, found.seeds, found.by_seed) == ("crossed", (-1, 0, 1), ())
    assert found.difference == pytest.approx(-14 / 48)
    assert found.seed_share is not None


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ((0,), (0,), "single"),
        ((0,), (-1,), "single"),
        ((0,), (1,), "single"),
        ((-1,), (-1,), "untrained"),
        ((0, 1), (0,), "single"),
    ],
)
def test_seeding_is_named(a: tuple[int, ...], b: tuple[int, ...], said: str) -> None:
    found = effect(*(rows("a", first(4), s) for s in a), *(rows("b", first(8), s) for s in b))
    assert found.seeding == said
    assert found.seed_share is None


def test_seeds_that_disagree_widen_the_interval() -> None:
    control = rows("b", first(24), 0), rows("b", first(24), 1)
    calm = effect(rows("a", first(12), 0), rows("a", first(12), 1), *control)
    wild = effect(rows("a", first(0), 0), rows("a", first(24), 1), *control)
    assert calm.difference == pytest.approx(wild.difference)
    assert wild.p is not None
    assert calm.p is not None
    assert wild.p > calm.p


def test_one_family_or_no_shared_sample_is_a_stated_failure() -> None:
    one = effect(rows("a", first(4), families=1), rows("b", first(9), families=1))
    none = effect(rows("a", [None] * 48), rows("b", first(9)))
    assert one.p is None
    assert one.interval is None
    assert one.failure is not None
    assert "one family" in one.failure
    assert (none.pairs, none.difference) == (0, None)
    assert none.failure == "no sample has a verdict in both arms"
