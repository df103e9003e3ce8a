"""Composites: means of whole samples, and what is missing."""

import pytest

from teachwhy.errors import UserError
from teachwhy.evals.suite import Row
from teachwhy.study.composites import complete, members


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


def test_a_composite_is_the_mean_of_its_members() -> None:
    bad, good = members("bad"), members("good")
    rows = [row(s, 0.1 if s == "a" else 0.5, measure=name) for s in "ab" for name in bad]
    rows += [row(s, 0.8, measure=name) for s in "ab" for name in good]
    assert complete(rows, "bad") == {"a/r1": ("a", pytest.approx(0.1)), "b/r1": ("b", pytest.approx(0.5))}
    assert complete(rows, "good") == {f"{s}/r1": (s, pytest.approx(0.8)) for s in "ab"}


def test_a_sample_with_a_missing_member_enters_no_composite() -> None:
    bad = members("bad")
    rows = [row(s, None if (s, name) == ("b", bad[0]) else 0.2, measure=name) for s in "abc" for name in bad]
    found = complete(rows, "bad")
    assert found["b/r1"] == ("b", None)
    assert [found[f"{s}/r1"][1] for s in "ac"] == [pytest.approx(0.2)] * 2


def test_a_dimension_outside_composites_moves_none() -> None:
    rows = [row("a", 1.0, measure="evaluation-awareness"), row("a", 0.0, measure="cruelty")]
    assert complete(rows, "bad") == {"a/r1": ("a", 0.0)}
    assert complete(rows, "good") == {}


def test_unknown_dimensions_and_doubled_samples_are_errors() -> None:
    with pytest.raises(UserError, match="did you mean 'cruelty'"):
        complete([row("a", 0.1, measure="crueltie")], "bad")
    with pytest.raises(UserError, match="stands twice"):
        complete([row("a", 0.1), row("a", 0.2)], "bad")
