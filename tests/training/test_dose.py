"""The order of a corpus and the end of a dose, for all corpora."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teachwhy.errors import RenderError
from teachwhy.training.dose import Course, batches, course
from teachwhy.training.render import Example


def example(number: int, length: int, taught: int) -> Example:
    on = (False,) * (length - taught) + (True,) * taught
    return Example(f"r{number}", (1,) * length, on)


@st.composite
def corpora(draw: st.DrawFn) -> list[Example]:
    sizes = draw(st.lists(st.tuples(st.integers(2, 60), st.integers(1, 60)), min_size=1, max_size=40))
    return [example(i, max(length, taught + 1), taught) for i, (length, taught) in enumerate(sizes)]


doses = st.integers(1, 1000)
quickly = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 2**31)


@quickly
@given(corpora(), doses, seeds)
def test_a_dose_is_reached_and_overshot_by_less_than_its_last_example(
    corpus: list[Example], dose: int, seed: int
) -> None:
    way = course(corpus, dose, seed)
    assert way.given == sum(corpus[i].taught for i in way.order)
    assert dose <= way.given < dose + corpus[way.order[-1]].taught


@quickly
@given(corpora(), doses, seeds)
def test_every_pass_but_the_last_is_whole_and_none_repeats_an_example(
    corpus: list[Example], dose: int, seed: int
) -> None:
    way = course(corpus, dose, seed)
    assert all(sorted(one) == list(range(len(corpus))) for one in way.passes[:-1])
    assert len(set(way.passes[-1])) == len(way.passes[-1]) > 0


@quickly
@given(corpora(), seeds)
def test_no_dose_is_one_pass(corpus: list[Example], seed: int) -> None:
    way = course(corpus, None, seed)
    assert sorted(way.order) == list(range(len(corpus)))
    assert len(way.passes) == 1


@quickly
@given(corpora(), doses, doses, seeds)
def test_a_smaller_dose_begins_a_larger_one(corpus: list[Example], a: int, b: int, seed: int) -> None:
    small, large = course(corpus, min(a, b), seed).order, course(corpus, max(a, b), seed).order
    assert large[: len(small)] == small


@quickly
@given(corpora(), doses, seeds, st.integers(1, 9), st.integers(1, 400), st.integers(1, 4))
def test_batches_hold_the_course_and_keep_their_limits(
    corpus: list[Example], dose: int, seed: int, records: int, tokens: int, window: int
) -> None:
    way = course(corpus, dose, seed)
    made = batches(corpus, way, records=records, tokens=tokens, window=window, seed=seed)
    assert sorted(i for batch in made for i in batch) == sorted(way.order)
    for batch in made:
        width = max(corpus[i].length for i in batch)
        assert 1 <= len(batch) <= records
        assert len(batch) == 1 or width * len(batch) <= tokens
    assert made == batches(corpus, way, records=records, tokens=tokens, window=window, seed=seed)


@quickly
@given(seeds, st.integers(1, 8), st.integers(1, 4))
def test_no_example_leaves_its_window(seed: int, records: int, window: int) -> None:
    corpus = [example(i, 2 + i % 7, 1) for i in range(60)]
    way = course(corpus, None, seed)
    made = [i for b in batches(corpus, way, records=records, tokens=10**6, window=window, seed=seed) for i in b]
    size = records * window
    for start in range(0, len(corpus), size):
        assert sorted(made[start : start + size]) == sorted(way.order[start : start + size])


def test_seeds_give_other_orders() -> None:
    corpus = [example(i, 5, 2) for i in range(30)]
    assert len({tuple(course(corpus, None, seed).order) for seed in range(10)}) == 10


def test_passes_are_shuffled_anew() -> None:
    corpus = [example(i, 5, 2) for i in range(30)]
    way = course(corpus, 180, 0)
    assert way.given == 180
    assert len(set(way.passes)) == 3


def test_sorting_spares_padding() -> None:
    corpus = [example(i, 10 + 37 * i % 90, 2) for i in range(64)]
    way = course(corpus, None, 0)

    def padded(window: int) -> int:
        made = batches(corpus, way, records=8, tokens=10**6, window=window, seed=0)
        return sum(max(corpus[i].length for i in batch) * len(batch) for batch in made)

    assert padded(8) < 0.75 * padded(1)


def test_nothing_to_learn() -> None:
    with pytest.raises(RenderError, match="supervised"):
        course([], 10, 0)
    with pytest.raises(RenderError, match="supervised"):
        course([Example("r", (1, 2), (False, False))], 10, 0)


def test_a_course_says_its_order() -> None:
    assert Course(((2, 0), (1,)), 9).order == [2, 0, 1]
