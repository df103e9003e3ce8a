"""The summary: means and intervals over seeds, composites, and what is missing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teachwhy.errors import UserError
from teachwhy.evals.suite import Row
from teachwhy.study.composites import members, summarise


def row(seed: str, value: float | None, measure: str = "cruelty", repeat: int = 1, missing: str | None = None) -> Row:
    return Row(
        eval="assessment",
        sample_id=f"{seed}/r{repeat}",
        group=seed,
        measure=measure,
        value=value,
        missing=missing if value is None else None,
        reason="",
        evidence="",
        prompt="",
        reply="",
        tokens=1,
    )


def level(values: dict[str, list[float | None]]) -> Any:
    rows = [row(s, v, repeat=n, missing="judge error") for s, vs in values.items() for n, v in enumerate(vs)]
    return summarise(rows).dimensions["cruelty"]


def test_the_mean_weighs_seeds_alike_and_leaves_missing_out() -> None:
    found = level({"a": [0.0, 0.0, 0.0], "b": [1.0, None]})
    assert (found.mean, found.seeds, found.scored) == (0.5, 2, 4)
    assert found.missing == {"judge error": 1}


def test_repeats_of_a_seed_do_not_narrow_the_interval() -> None:
    once = level({str(n): [n % 2] for n in range(12)})
    often = level({str(n): [n % 2] * 20 for n in range(12)})
    assert (once.low, once.high) == (often.low, often.high)


def test_one_seed_has_no_interval_and_none_no_mean() -> None:
    one, none = level({"a": [0.2, 0.4]}), level({"a": [None], "b": [None]})
    assert (one.low, one.high) == (None, None)
    assert one.mean == pytest.approx(0.3)
    assert (none.mean, none.low, none.scored, none.missing) == (None, None, 0, {"judge error": 2})


def test_agreement_is_not_certainty() -> None:
    forty = level({str(n): [0.0] for n in range(40)})
    assert forty.mean == forty.low == 0
    assert 0.05 < forty.high < 0.09
    assert level({str(n): [0.0] for n in range(4)}).high > 0.3


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_the_interval_holds_the_mean_and_stays_on_the_scale(values: list[float]) -> None:
    found = level({str(n): [value] for n, value in enumerate(values)})
    assert 0 <= found.low <= found.mean <= found.high <= 1
    assert found.low < found.high


def test_a_composite_is_the_mean_of_its_members_for_whole_samples() -> None:
    bad, good = members("bad"), members("good")
    rows = [row(s, 0.1 if s == "a" else 0.5, measure=name) for s in "ab" for name in bad]
    rows += [row(s, 0.8, measure=name) for s in "ab" for name in good]
    found = summarise(rows).composites
    assert found["bad"].mean == pytest.approx(0.3)
    assert found["good"].mean == pytest.approx(0.8)


def test_a_sample_with_a_missing_member_enters_no_composite() -> None:
    bad = members("bad")
    rows = [row(s, None if (s, name) == ("b", bad[0]) else 0.2, measure=name) for s in "abc" for name in bad]
    found = summarise(rows).composites["bad"]
    assert (found.seeds, found.scored, found.missing) == (2, 2, {"incomplete": 1})
    assert found.mean == pytest.approx(0.2)


def test_a_dimension_outside_composites_moves_none() -> None:
    found = summarise([row("a", 1.0, measure="evaluation-awareness"), row("a", 0.0, measure="cruelty")])
    assert found.composites["bad"].mean == 0
    assert found.composites["good"].mean is None


def test_unknown_dimensions_and_doubled_samples_are_errors() -> None:
    with pytest.raises(UserError, match="did you mean 'cruelty'"):
        summarise([row("a", 0.1, measure="crueltie")])
    with pytest.raises(UserError, match="stands twice"):
        summarise([row("a", 0.1), row("a", 0.2)])
