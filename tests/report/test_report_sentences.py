"""Sentences claim what the verdict says and no more; numbers keep their rules."""

from typing import Any

import pytest
from report_example import analysis

from teachwhy.analysis import Analysis, Comparison, Effect, Gate, Interval
from teachwhy.report import numbers as say
from teachwhy.report.sentences import GATES, answer, headline

CLAIMS = ("less often", "more often", "improve", "wors", "better", "because of", "cause")


def effect(difference: float | None = -0.14, low: float = -0.24, high: float = -0.04, **changes: Any) -> Effect:
    fields: dict[str, Any] = {
        "treatment": "reasons",
        "control": "actions",
        "measure": "any",
        "pairs": 64,
        "families": 8,
        "treatment_rate": 0.25,
        "control_rate": 0.39,
        "difference": difference,
        "se": 0.05,
        "df": 6.0,
        "interval": None if difference is None else Interval(low=low, high=high),
        "p": 0.011,
        "detectable": 0.15,
        "seeding": "paired",
        "seeds": (0, 1),
        "seeds_left_out": (),
        "by_seed": (),
        "seed_sd": 0.01,
        "seed_share": 0.1,
        "fewer": None,
        "more": None,
        "mcnemar_p": None,
        "failure": None,
    }
    return Effect(**fields | changes)


def comparison(
    verdict: Any, what: Effect | None = None, p: float | None = 0.022, failed: tuple[str, ...] = ()
) -> Comparison:
    gates = tuple(Gate(name=name, passed=name not in failed, why=f"because of {name}") for name in GATES)
    return Comparison(effect=what or effect(), p_holm=p, gates=gates, verdict=verdict, why="")


def among(*found: Comparison) -> Analysis:
    return analysis().model_copy(update={"comparisons": found})


def sentence(one: Comparison, *others: Comparison) -> str:
    return answer(one, among(one, *others)).sentence


def test_improved() -> None:
    assert sentence(comparison("improved"), comparison("no claim")) == (
        "reasons chose a wrong act (of any kind) less often than actions: in 25 % against 39 % of the answers to the "
        "same 64 samples from 8 scenario families (p = 0.022 after Holm's correction over 2 comparisons)."
    )


def test_worse_says_more_often_and_names_the_measure() -> None:
    said = sentence(comparison("worse", effect(0.14, 0.04, 0.24, measure="own")))
    assert "reasons chose the wrong act of the scenario's own kind more often than actions" in said
    assert "Holm" not in said


def test_one_training_seed_and_seeds_that_disagree_are_said() -> None:
    assert "With one training seed" in sentence(comparison("improved", effect(seeding="single")))
    by_seed = ({"seed": 0, "pairs": 64, "difference": -0.3}, {"seed": 1, "pairs": 64, "difference": 0.02})
    assert "disagree in direction" in sentence(comparison("improved", effect(by_seed=by_seed)))


def test_no_difference_shown_is_no_proof_of_equality() -> None:
    said = sentence(comparison("no difference shown", effect(-0.02, -0.12, 0.08), p=0.6))
    assert "This does not show that they are equal" in said
    assert "any difference from −12.0 to +8.0 points agrees with the data" in said
    assert not [word for word in CLAIMS if word in said]


def test_no_difference_after_correction_only() -> None:
    one = comparison("no difference shown", effect(), p=0.07)
    said = sentence(one, comparison("no claim"), comparison("no claim"))
    assert "the interval alone leaves out 0, but not after correction over 3 comparisons" in said
    assert "agrees with the data" not in said


@pytest.mark.parametrize("gate", list(GATES))
def test_each_gate_that_fails_gives_its_reason(gate: str) -> None:
    made = answer(comparison("no claim", failed=(gate,)), among(comparison("no claim")))
    assert made.sentence == f"No claim is made on reasons against actions: {GATES[gate]} (because of {gate})."
    assert made.reasons == ()
    assert made.observed
    assert "less often" not in made.sentence
    assert "more often" not in made.sentence


def test_several_failed_gates_are_listed() -> None:
    made = answer(comparison("no claim", failed=("dose", "size")), among(comparison("no claim")))
    assert made.sentence == "No claim is made on reasons against actions: 2 conditions are not met."
    assert made.reasons == (f"{GATES['dose']} (because of dose)", f"{GATES['size']} (because of size)")


def test_an_estimate_that_could_not_be_made_is_missing() -> None:
    lost = effect(None, failure="no sample has a verdict in both arms", treatment_rate=None, control_rate=None, p=None)
    made = answer(comparison("no claim", lost, p=None), among(comparison("no claim")))
    assert made.difference == "missing"
    assert "no sample has a verdict in both arms" in made.sentence


def test_a_gate_unknown_here_is_named() -> None:
    gates = (Gate(name="tides", passed=False, why="too high"),)
    made = comparison("no claim").model_copy(update={"gates": gates})
    assert "the gate tides failed (too high)" in sentence(made)


def test_headline_counts() -> None:
    found = [comparison(verdict) for verdict in ("no claim", "improved", "no claim")]
    assert headline(among(*found)) == "3 declared comparisons: 1 improved, 2 no claim."
    assert headline(among()) == "No comparison was declared, so nothing is claimed."


@pytest.mark.parametrize(
    ("share", "n", "text"),
    [
        (None, 0, "missing"),
        (0.0, 64, "0 %"),
        (0.390625, 64, "39 %"),
        (0.472, 125, "47.2 %"),
        (1.0, 200, "100.0 %"),
        (0.0002, 5000, "<0.1 %"),
        (0.9999, 5000, ">99.9 %"),
        (0.004, 99, "<1 %"),
        (0.996, 99, ">99 %"),
    ],
)
def test_percent(share: float | None, n: int, text: str) -> None:
    assert say.percent(share, n) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "missing"),
        (-0.1234, "−12.3 points"),
        (0.05, "+5.0 points"),
        (-0.0001, "0.0 points"),
        (0.0, "0.0 points"),
    ],
)
def test_points(value: float | None, text: str) -> None:
    assert say.points(value) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (None, "missing"),
        (0.0, "p < 0.001"),
        (0.0004, "p < 0.001"),
        (0.012, "p = 0.012"),
        (0.34, "p = 0.34"),
        (1.0, "p = 1.00"),
    ],
)
def test_p(p: float | None, text: str) -> None:
    assert say.p_value(p) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "missing"),
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (3599.9, "1 h 00 min"),
        (7325, "2 h 02 min"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert say.duration(seconds) == text
