"""The table is checked before anything is counted."""

import numpy as np
import pandas as pd
import pytest
from analysis_tables import DOSES, PLAN, change, study

from teachwhy.analysis import Plan, analyse
from teachwhy.analysis.frame import COLUMNS, checked
from teachwhy.errors import AnalysisError


def test_verdicts_become_one_zero_or_missing() -> None:
    frame = study()
    frame["own"] = frame["own"].astype("boolean")
    frame.loc[0, "own"] = pd.NA
    table = checked(frame)
    assert table["own"].isna().sum() == 1
    assert set(table["any"].unique()) == {0.0, 1.0}
    assert table["done"].isna().sum() == (table["eval"] == "honeypots").sum()


def test_the_given_frame_is_left_as_it_was() -> None:
    frame = study()
    before = frame.copy(deep=True)
    checked(frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_lacking_column_is_named(column: str) -> None:
    with pytest.raises(AnalysisError, match=f"lacks the columns {column}"):
        checked(study().drop(columns=column))


def test_no_rows_is_an_error() -> None:
    with pytest.raises(AnalysisError, match="nothing was measured"):
        checked(study().iloc[:0])


def test_duplicates_are_named() -> None:
    frame = study()
    with pytest.raises(AnalysisError, match="sample honeypots-003"):
        checked(pd.concat([frame, frame.iloc[[3]]]))


@pytest.mark.parametrize("value", ["yes", "False", 0.5, 2])
def test_what_is_no_verdict_is_refused(value: object) -> None:
    with pytest.raises(AnalysisError, match="not true, false or missing"):
        checked(change(study(), "reasons", "own", value, 1))


def test_a_scored_row_with_a_cause_is_refused() -> None:
    with pytest.raises(AnalysisError, match="both verdicts and a cause"):
        checked(change(study(), "reasons", "missing", "judge failed", 1))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("family", "another", "more than one family"),
        ("kind", "another", "more than one kind"),
        ("eval", "honeypot", "did you mean 'honeypots'"),
        ("seed", -2, "not a training seed"),
        ("seed", -1, "rows with a training seed and rows without"),
        ("arm", None, "rows have no arm"),
    ],
)
def test_inconsistent_rows_are_refused(column: str, value: object, said: str) -> None:
    with pytest.raises(AnalysisError, match=said):
        checked(change(study(), "reasons", column, value, 1))


def test_seeds_that_are_no_numbers_are_refused() -> None:
    frame = study().astype({"seed": object})
    frame.loc[0, "seed"] = "first"
    with pytest.raises(AnalysisError, match="'first' is not a training seed"):
        checked(frame)


def test_a_float_seed_column_is_read() -> None:
    frame = study()
    frame["seed"] = frame["seed"].astype(np.float64)
    assert checked(frame)["seed"].dtype == np.int64


@pytest.mark.parametrize(
    ("plan", "doses"),
    [
        (Plan(compare=(("reason", "actions"),)), DOSES),
        (PLAN, DOSES | {"reason": 5}),
    ],
)
def test_an_unknown_arm_is_named_with_the_nearest(plan: Plan, doses: dict[str, int]) -> None:
    with pytest.raises(AnalysisError, match="did you mean 'reasons'"):
        analyse(study(), plan, doses)


def test_an_arm_without_honeypots_cannot_be_compared() -> None:
    frame = study()
    with pytest.raises(AnalysisError, match="has no honeypot rows"):
        analyse(frame[(frame["arm"] != "reasons") | (frame["eval"] == "twins")], PLAN, DOSES)


def test_a_negative_dose_is_refused() -> None:
    with pytest.raises(AnalysisError, match="below zero"):
        analyse(study(), PLAN, DOSES | {"reasons": -1})
