"""Means over groups: groups weigh alike, and agreement is not certainty."""

import pandas as pd
import pytest

from teachwhy.analysis.means import RATE, SHIFT, Ends, over_groups


def of(groups: dict[str, list[float]], ends: Ends | None = None) -> tuple[float | None, float | None, float | None]:
    pairs = [(name, value) for name, values in groups.items() for value in values]
    names = pd.Series([name for name, _ in pairs], dtype=str)
    return over_groups(pd.Series([value for _, value in pairs], dtype=float), names, ends)


def test_groups_weigh_alike_and_have_students_interval() -> None:
    found = of({"a": [1.0] * 9, "b": [3.0], "c": [5.0]})
    assert found == pytest.approx((3.0, 3 - 4.3027 * 2 / 3**0.5, 3 + 4.3027 * 2 / 3**0.5), rel=1e-4)


def test_one_group_has_a_mean_only_and_none_nothing() -> None:
    assert of({"a": [1.0, 2.0]}) == (1.5, None, None)
    assert of({}) == (None, None, None)


def test_a_measure_without_a_scale_is_taken_as_it_is() -> None:
    assert of({"a": [700.0], "b": [700.0]}) == (700, 700, 700)


def test_agreement_on_a_scale_reaches_to_the_bound_of_what_was_never_seen() -> None:
    assert of({str(n): [0.0] * 20 for n in range(40)}, RATE) == pytest.approx((0, 0, 0.0722), abs=1e-3)
    assert of({str(n): [1.0] for n in range(4)}, RATE) == pytest.approx((1, 0.4729, 1), abs=1e-3)
    assert of({str(n): [0.0] for n in range(40)}, SHIFT) == pytest.approx((0, -0.0722, 0.0722), abs=1e-3)


def test_near_agreement_is_bounded_by_the_values_and_the_scale_holds() -> None:
    found = of({str(n): [0.0] for n in range(39)} | {"x": [0.1]}, RATE)
    assert found == pytest.approx((0.0025, 0, 0.0747), abs=1e-3)
