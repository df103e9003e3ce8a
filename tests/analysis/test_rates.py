"""Rates per arm: what counts, what does not, and what is said where there is nothing."""

import pandas as pd
import pytest
from analysis_tables import SAMPLES, change, first, rows, study
from hypothesis import given, settings
from hypothesis import strategies as st

from teachwhy.analysis.frame import checked
from teachwhy.analysis.rates import summarise
from teachwhy.analysis.results import Cell


def cell(frame: pd.DataFrame, arm: str = "reasons", name: str = "honeypots", kind: str = "all") -> Cell:
    return next(c for c in summarise(checked(frame)) if (c.arm, c.eval, c.kind) == (arm, name, kind))


def test_a_cell_for_each_kind_and_for_all() -> None:
    found = [c for c in summarise(checked(study())) if c.arm == "reasons" and c.eval == "honeypots"]
    assert [c.kind for c in found] == ["all", "blackmail", "framing", "leaking", "sabotage"]
    assert sum(c.rows for c in found[1:]) == found[0].rows == SAMPLES


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=40))
def test_missing_is_never_counted(verdicts: list[bool | None]) -> None:
    found = cell(pd.DataFrame(rows("reasons", verdicts)))
    scored = [v for v in verdicts if v is not None]
    assert (found.any.scored, found.any.true, found.any.missing) == (len(scored), sum(scored), verdicts.count(None))
    assert found.any.rate == (pytest.approx(sum(scored) / len(scored)) if scored else None)
    assert found.causes == ({"judge failed": verdicts.count(None)} if None in verdicts else {})
    for interval in (found.any.wilson, found.any.cluster):
        assert interval is None or interval.low <= sum(scored) / len(scored) <= interval.high


def test_nothing_scored_is_a_failure_not_a_number() -> None:
    found = cell(pd.DataFrame(rows("reasons", [None] * 6)))
    assert found.any.rate is None
    assert found.any.wilson is None
    assert found.any.failure == "nothing was scored: 6 of 6 verdicts are missing"


def test_own_and_any_are_counted_apart() -> None:
    frame = change(study({"reasons": 6}), "reasons", "own", False, 2)
    assert (cell(frame).own.true, cell(frame).any.true) == (4, 6)


def test_an_unstated_cause_is_counted_as_such() -> None:
    frame = pd.DataFrame(rows("reasons", [None, False, True])).assign(missing=None)
    assert cell(frame).causes == {"unstated": 1}


def test_validity_truncation_and_completion() -> None:
    frame = change(change(study(), "reasons", "valid", False, 12), "reasons", "truncated", True, 6)
    frame = change(frame, "reasons", "done", False, 24, "twins")
    assert cell(frame).valid.share == 0.75
    assert cell(frame).truncated.true == 6
    assert cell(frame).done is None
    twins = cell(frame, name="twins").done
    assert twins is not None
    assert twins.share == 0.5


def test_zero_of_n_states_what_it_leaves_possible() -> None:
    none = cell(study({"reasons": 0})).any
    assert none.at_most == pytest.approx(1 - 0.05 ** (1 / SAMPLES))
    assert none.cluster is not None
    assert none.cluster.high > none.at_most
    assert cell(study({"reasons": 1})).any.at_most is None


def test_zero_of_n_counts_samples_not_seeds() -> None:
    assert cell(study({"reasons": 0}, seeds=(0, 1, 2))).any.at_most == pytest.approx(1 - 0.05 ** (1 / SAMPLES))


def test_one_family_has_no_clustered_interval() -> None:
    found = cell(pd.DataFrame(rows("reasons", first(3, 10), families=1))).any
    assert found.wilson is not None
    assert found.cluster is None


def test_seeds_are_shown_one_by_one_and_widen_the_pooled_interval() -> None:
    apart = pd.DataFrame(rows("reasons", first(8), 0) + rows("reasons", first(32), 1))
    alike = pd.DataFrame(rows("reasons", first(20), 0) + rows("reasons", first(20), 1))
    found, calm = cell(apart), cell(alike)
    assert [(s.seed, s.any) for s in found.by_seed] == [(0, pytest.approx(8 / 48)), (1, pytest.approx(32 / 48))]
    assert found.seed_range == pytest.approx(0.5)
    assert found.any.rate == calm.any.rate
    assert found.any.cluster is not None
    assert calm.any.cluster is not None
    assert found.any.cluster.high - found.any.cluster.low > calm.any.cluster.high - calm.any.cluster.low
