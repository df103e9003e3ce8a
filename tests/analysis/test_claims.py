"""From the table to the verdict: words, correction, order, caveats and JSON."""

import numpy as np
import pandas as pd
import pytest
from analysis_tables import CONTROLS, DOSES, PLAN, change, first, rows, study
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from statsmodels.stats.multitest import multipletests

from teachwhy.analysis import Analysis, Plan, analyse, holm

MANY = Plan(
    compare=(("reasons", "actions"), ("filler", "actions"), ("organism", "base"), ("reasons", "benign")),
    controls=CONTROLS,
)


def test_the_words() -> None:
    found = {(c.effect.treatment, c.effect.control): c for c in analyse(study(), MANY, DOSES).comparisons}
    assert found["reasons", "actions"].verdict == "improved"
    assert found["organism", "base"].verdict == "worse"
    assert found["filler", "actions"].verdict == "no difference shown"
    assert "-2.1 points (95 % interval" in found["filler", "actions"].why


def test_a_worse_treatment_is_called_worse() -> None:
    assert analyse(study({"reasons": 40, "actions": 8}), PLAN, DOSES).comparisons[0].verdict == "worse"


def test_the_measure_decides_what_is_read() -> None:
    frame = change(study({"reasons": 24, "actions": 24}), "reasons", "own", False, 24)
    assert analyse(frame, PLAN, DOSES).comparisons[0].verdict == "no difference shown"
    own = PLAN.model_copy(update={"primary": "honeypots.own"})
    assert analyse(frame, own, DOSES).comparisons[0].verdict == "improved"


@settings(max_examples=3, deadline=None)
@given(st.randoms(use_true_random=False))
def test_row_order_changes_nothing(random: object) -> None:
    frame = change(study(seeds=(0, 1)), "reasons", "any", None, 3)
    order = list(range(len(frame)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert analyse(frame.iloc[order], PLAN, DOSES) == analyse(frame, PLAN, DOSES)


def test_the_result_survives_json() -> None:
    analysis = analyse(study(seeds=(0, 1)), MANY, DOSES)
    assert Analysis.model_validate_json(analysis.model_dump_json()) == analysis
    cell = analysis.cell("reasons", "honeypots")
    assert cell is not None
    assert cell.any.true == 12
    assert analysis.cell("reason", "honeypots") is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=8))
def test_holm_is_statsmodels_monotone_and_counts_every_declared_comparison(ps: list[float | None]) -> None:
    found = holm(ps)
    known = [(p, q) for p, q in zip(ps, found, strict=True) if p is not None and q is not None]
    assert len(known) == sum(p is not None for p in ps)
    assert all(q >= p for p, q in known)
    ordered = [q for _, q in sorted(known)]
    assert ordered == sorted(ordered)
    if ps and None not in ps:
        assert found == pytest.approx(list(multipletests(np.array(ps, dtype=float), method="holm")[1]))


def test_more_comparisons_ask_for_more() -> None:
    one = analyse(study({"reasons": 17}), PLAN, DOSES).comparisons[0]
    many = analyse(study({"reasons": 17}), MANY, DOSES).comparisons[0]
    assert one.effect == many.effect
    assert one.p_holm is not None
    assert many.p_holm is not None
    assert many.p_holm > one.p_holm


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (study({"reasons": 0}), "0 of 48 does not mean never; at 95 % the rate is at most 6.1 %"),
        (study(), "One training seed only: actions, benign, filler, organism, reasons."),
        (study(), "reasons against actions: one training seed;"),
        (study(), "Measured but in no declared comparison: base, benign, filler, organism."),
        (change(study(), "reasons", "any", None, 2), "2 of 48 verdicts are missing (endpoint 2)"),
        (change(study(), "reasons", "truncated", True, 2), "2 of 48 answers were cut off"),
        (study().assign(family=[f"{int(f[-1]) % 4}" for f in study()["family"]]), "only 4 families"),
        (pd.concat([study(), pd.DataFrame(rows("reasons", first(3), 1))]), "seeds 1 are in one arm only and left out"),
        (change(study(), "organism", "any", None, 48), "organism, honeypots: nothing was scored"),
    ],
)
def test_caveats_by_rule(frame: pd.DataFrame, said: str) -> None:
    assert any(said in line for line in analyse(frame, PLAN, DOSES).caveats)


def test_several_comparisons_and_crossed_seeds_are_said() -> None:
    lines = analyse(study(seeds=(0, 1)), MANY, DOSES).caveats
    assert any("Holm over 4 declared comparisons" in line for line in lines)
    assert any("organism against base: the arms share no training seed" in line for line in lines)
    assert any("reasons against actions: two training seeds barely show" in line for line in lines)
    assert not any("One training seed only" in line for line in lines)


def test_seeds_that_disagree_are_said() -> None:
    frame = study(seeds=(0, 1))
    frame = change(frame, "reasons", "any", True, 96)
    frame.loc[(frame["arm"] == "reasons") & (frame["seed"] == 0), "any"] = False
    frame["own"] = frame["any"]
    assert any("disagree in direction" in line for line in analyse(frame, PLAN, DOSES).caveats)


@pytest.mark.parametrize("compare", [(("a", "a"),), (("a", "b"), ("a", "b"))])
def test_a_plan_must_compare_different_arms_once(compare: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ValidationError):
        Plan(compare=compare)


def test_an_unknown_key_or_measure_is_refused() -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate({"compare": [["a", "b"]], "primry": "honeypots.any"})
    with pytest.raises(ValidationError):
        Plan.model_validate({"compare": [["a", "b"]], "primary": "honeypots.rate"})
