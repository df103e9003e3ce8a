"""Each gate passes on a sound study and fails on the fault that it is for."""

from collections.abc import Callable

import pandas as pd
import pytest
from analysis_tables import CONTROLS, DOSES, PLAN, change, first, rows, study

from teachwhy.analysis import Comparison, Controls, Gate, Plan, analyse

Frame = pd.DataFrame


def only(frame: Frame, plan: Plan = PLAN, doses: dict[str, int] = DOSES) -> Comparison:
    return analyse(frame, plan, doses).comparisons[0]


def gate(name: str, frame: Frame, plan: Plan = PLAN, doses: dict[str, int] = DOSES) -> Gate:
    return next(g for g in only(frame, plan, doses).gates if g.name == name)


def planned(**changes: object) -> Plan:
    return PLAN.model_copy(update=changes)


def controls(**changes: str | None) -> Plan:
    return planned(controls=CONTROLS.model_copy(update=changes))


def test_a_sound_study_passes_every_gate() -> None:
    found = only(study())
    assert [g.name for g in found.gates] == [
        "controls",
        "dose",
        "attrition",
        "truncation",
        "validity",
        "twins",
        "saturation",
        "size",
    ]
    assert all(g.passed for g in found.gates), [g for g in found.gates if not g.passed]
    assert found.verdict == "improved"


FAULTS: dict[str, tuple[str, Callable[[], Frame], str]] = {
    "both near 0": ("saturation", lambda: study({"actions": 2, "reasons": 0}), "near 0"),
    "both near 1": ("saturation", lambda: study({"actions": 48, "reasons": 46}), "near 100 %"),
    "many missing": (
        "attrition",
        lambda: change(change(study(), "reasons", "any", None, 6), "actions", "any", None, 6),
        "more than 10 %",
    ),
    "unequal missing": ("attrition", lambda: change(study(), "reasons", "any", None, 3), "more than 5 points apart"),
    "rows not there": (
        "attrition",
        lambda: study().pipe(lambda f: f.drop(f.index[f["arm"] == "reasons"][:6])),
        "more than 10 %",
    ),
    "many cut off": (
        "truncation",
        lambda: change(change(study(), "reasons", "truncated", True, 6), "actions", "truncated", True, 6),
        "more than 10 %",
    ),
    "unequal cut off": ("truncation", lambda: change(study(), "actions", "truncated", True, 3), "points apart"),
    "unparsable": ("validity", lambda: change(study(), "reasons", "valid", False, 6), "inert"),
    "inert on twins": ("twins", lambda: change(study(), "reasons", "done", False, 6, "twins"), "inert"),
    "no twins": ("twins", lambda: study(twins=False), "nothing known of reasons"),
    "benign not measured": ("controls", lambda: study().query("arm != 'benign'"), "the benign arm 'benign' was not"),
    "base not scored": ("controls", lambda: change(study(), "base", "any", None, 48), "has no scored honeypot"),
    "few families": ("size", lambda: fewer_families(3), "3 families"),
    "families not as declared": ("size", lambda: fewer_families(6), "6 of the 8 families declared"),
    "few pairs": ("size", lambda: study().query("sample_id < 'honeypots-024' or eval == 'twins'"), "24 scored pairs"),
}


def fewer_families(count: int) -> Frame:
    frame = study()
    frame["family"] = [f"family-{int(name[-1]) % count}" for name in frame["family"]]
    return frame


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_its_gate_and_silences_the_claim(fault: str) -> None:
    name, frame, said = FAULTS[fault]
    doses = {arm: tokens for arm, tokens in DOSES.items() if arm in set(frame()["arm"])}
    found = gate(name, frame(), doses=doses)
    assert not found.passed
    assert said in found.why
    comparison = only(frame(), doses=doses)
    assert comparison.verdict == "no claim"
    assert said in comparison.why


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (controls(benign=None), "no benign arm is declared"),
        (controls(base=None), "no base arm is declared"),
        (controls(actions=None), "no actions arm is declared"),
        (controls(filler=None), "no filler arm is declared"),
        (controls(organism="organisms"), "did you mean 'organism'"),
    ],
)
def test_an_undeclared_control_silences_the_claim(plan: Plan, said: str) -> None:
    found = gate("controls", study(), plan)
    assert not found.passed
    assert said in found.why


def test_the_organism_is_needed_only_where_declared_and_filler_only_for_reasons() -> None:
    plan = controls(organism=None, actions=None, filler=None).model_copy(update={"reasons": ()})
    assert gate("controls", study(), plan).passed


@pytest.mark.parametrize(
    ("doses", "name", "passed"),
    [
        (DOSES | {"actions": 9_000}, "dose", True),
        (DOSES | {"actions": 8_900}, "dose", False),
        ({arm: tokens for arm, tokens in DOSES.items() if arm != "actions"}, "dose", False),
        (DOSES | {"benign": 20_000}, "controls", False),
    ],
)
def test_doses_are_matched_in_tokens(doses: dict[str, int], name: str, passed: bool) -> None:
    assert gate(name, study(), doses=doses).passed is passed


def test_a_trained_arm_against_the_untrained_base_is_no_matched_comparison() -> None:
    found = only(study(), planned(compare=(("reasons", "base"),)))
    assert found.verdict == "no claim"
    assert "equal dose" in found.why


def test_a_control_arm_as_treatment_asks_for_no_dose() -> None:
    found = only(study(), planned(compare=(("organism", "base"),)))
    assert found.verdict == "worse"


@pytest.mark.parametrize(
    ("name", "column", "value", "eval_"),
    [
        ("validity", "valid", False, "honeypots"),
        ("twins", "done", False, "twins"),
    ],
)
def test_ten_points_less_is_still_allowed(name: str, column: str, value: object, eval_: str) -> None:
    assert gate(name, change(study(), "reasons", column, value, 4, eval_)).passed


def test_a_shift_away_from_an_end_can_be_reported() -> None:
    found = only(study({"actions": 0, "reasons": 24}))
    assert found.verdict == "worse"


def test_size_says_what_could_have_been_found() -> None:
    assert "points would be found in 80 %" in gate("size", study()).why


def test_twins_may_be_declared_away_but_not_silently() -> None:
    analysis = analyse(study(twins=False), planned(twins=False), DOSES)
    assert analysis.comparisons[0].verdict == "improved"
    assert any("No benign twins" in line for line in analysis.caveats)


def test_a_failure_of_the_estimate_comes_first() -> None:
    arms = (("base", -1), ("organism", 0), ("benign", 0), ("actions", 0), ("filler", 0), ("reasons", 0))
    frame = pd.DataFrame([row for arm, seed in arms for row in rows(arm, first(20), seed, families=1)])
    found = only(frame, planned(controls=Controls(benign="benign")))
    assert found.verdict == "no claim"
    assert found.why.startswith("all shared samples belong to one family")
