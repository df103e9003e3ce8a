"""Designs are balanced, whole where the samples suffice, and the same for the same seed."""

from collections import Counter
from itertools import combinations, product
from math import prod

from hypothesis import given, settings
from hypothesis import strategies as st

from teachwhy.scenarios.design import design

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=6)


def factors(sizes: list[int]) -> dict[str, list[str]]:
    return {f"f{n}": [f"{n}.{level}" for level in range(size)] for n, size in enumerate(sizes)}


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(0, 40), st.integers(0, 2**63 - 1))
def test_every_level_stands_equally_often_within_one(sizes: list[int], samples: int, seed: int) -> None:
    rows = design(factors(sizes), samples, seed)
    assert len(rows) == samples
    for name, levels in factors(sizes).items():
        counts = Counter(row[name] for row in rows)
        times = [counts[level] for level in levels]
        assert sum(times) == samples
        assert max(times) - min(times) <= 1


@settings(max_examples=40, deadline=None)
@given(SIZES.filter(lambda sizes: prod(sizes) <= 48), st.integers(1, 2), st.integers(0, 99))
def test_whole_crossings_hold_every_combination_equally_often(sizes: list[int], times: int, seed: int) -> None:
    rows = design(factors(sizes), times * prod(sizes), seed)
    cells = Counter(tuple(row.values()) for row in rows)
    assert cells == dict.fromkeys(product(*factors(sizes).values()), times)


@given(SIZES, st.integers(0, 30), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_the_same_seed_gives_the_same_design(sizes: list[int], samples: int, seed: int) -> None:
    assert design(factors(sizes), samples, seed) == design(factors(sizes), samples, seed)


def test_seeds_give_different_designs() -> None:
    told = {str(design(factors([3, 3, 2, 2]), 10, seed)) for seed in range(8)}
    assert len(told) == 8


def test_pairs_of_levels_are_as_even_as_in_an_orthogonal_array() -> None:
    """Four factors of two levels in eight runs: there is an array in which every pair stands exactly twice."""
    rows = design(factors([2] * 4), 8, 0)
    for one, other in combinations(factors([2] * 4), 2):
        assert set(Counter((row[one], row[other]) for row in rows).values()) == {2}


def test_pairs_of_a_large_fraction_are_nearly_even() -> None:
    rows = design(factors([3, 3, 3, 3, 2, 2, 2, 2]), 36, 1)
    for one, other in combinations(factors([3, 3, 3, 3, 2, 2, 2, 2]), 2):
        counts = Counter((row[one], row[other]) for row in rows)
        cells = len({row[one] for row in rows}) * len({row[other] for row in rows})
        assert len(counts) == cells
        assert max(counts.values()) - min(counts.values()) <= 2
    assert len({tuple(row.values()) for row in rows}) == 36
