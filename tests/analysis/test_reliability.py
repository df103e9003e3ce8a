"""Split-half reliability against values with a known share of noise."""

import numpy as np
import pytest

from teachwhy.analysis import split_half


@pytest.mark.parametrize(("items", "noise"), [(8, 1.0), (8, 3.0), (16, 3.0)])
def test_it_estimates_the_share_of_the_spread_that_is_the_samples(items: int, noise: float) -> None:
    """With unit spread between samples, the mean over k items of noise s has reliability 1 / (1 + s^2 / k)."""
    random = np.random.default_rng(7)
    values = random.normal(size=(20_000, 1)) + noise * random.normal(size=(20_000, items))
    found = split_half(values[:, ::2].mean(axis=1), values[:, 1::2].mean(axis=1))
    assert found == pytest.approx(1 / (1 + noise**2 / items), abs=0.02)


def test_halves_of_noise_alone_have_none() -> None:
    random = np.random.default_rng(7)
    assert split_half(random.normal(size=5000), random.normal(size=5000)) == pytest.approx(0, abs=0.05)
    assert split_half(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])) == 0


def test_halves_that_agree_have_all_of_it() -> None:
    assert split_half(np.array([1.0, 2.0, 4.0]), np.array([2.0, 3.0, 5.0])) == pytest.approx(1)


@pytest.mark.parametrize(("odd", "even"), [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [5, 5, 5]), ([], [])])
def test_where_nothing_can_be_said_there_is_no_number(odd: list[float], even: list[float]) -> None:
    assert split_half(np.array(odd, dtype=float), np.array(even, dtype=float)) is None
