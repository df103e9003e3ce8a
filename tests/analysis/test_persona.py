"""The persona gap: right where the truth is known, and nothing from nothing."""

from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import bootstrap

from teachwhy.analysis.persona import persona_gaps
from teachwhy.analysis.simulation import intercept
from teachwhy.errors import AnalysisError

SECTIONS, QUESTIONS = 11, 8


def row(question: str, form: str, value: float | None, group: str = "s", measure: str = "recall") -> dict[str, Any]:
    return {"sample_id": f"{question}/{form}", "group": group, "measure": measure, "value": value}


def world(rng: np.random.Generator, you: float, persona: float) -> list[dict[str, Any]]:
    """Right and wrong answers with these true rates; sections differ in how hard they are and in their gap."""
    hard = rng.normal(0, 0.7, SECTIONS)
    extra = rng.normal(0, 0.4, SECTIONS)
    rows = []
    for s in range(SECTIONS):
        for q in range(QUESTIONS):
            own = rng.normal(0, 1.0)
            mean = intercept(persona, 0.7**2 + 1.0)
            rows.append(row(f"q{s}-{q}", "persona", float(rng.random() < expit(mean + hard[s] + own)), f"s{s}"))
            mean = intercept(you, 0.7**2 + 1.0 + 0.4**2)
            right = rng.random() < expit(mean + hard[s] + own + extra[s])
            rows.append(row(f"q{s}-{q}", "you", float(right), f"s{s}"))
    return rows


def bootstrapped(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """The percentile interval of a bootstrap over whole sections."""
    you = np.array([r["value"] for r in rows if r["sample_id"].endswith("/you")]).reshape(SECTIONS, -1)
    persona = np.array([r["value"] for r in rows if r["sample_id"].endswith("/persona")]).reshape(SECTIONS, -1)
    means = (you - persona).mean(axis=1)
    low, high = bootstrap((means,), np.mean, n_resamples=300, method="percentile", rng=0).confidence_interval
    return float(low), float(high)


@pytest.mark.parametrize(("you", "persona"), [(0.6, 0.6), (0.75, 0.5), (0.2, 0.35)])
def test_the_interval_covers_the_true_gap_and_a_bootstrap_covers_less(you: float, persona: float) -> None:
    rng = np.random.default_rng(7)
    trials = 200
    covered = plain = 0
    gaps = []
    for _ in range(trials):
        rows = world(rng, you, persona)
        found = persona_gaps(rows)["recall"]
        assert found.interval is not None
        assert found.gap is not None
        gaps.append(found.gap)
        covered += found.interval.low <= you - persona <= found.interval.high
        low, high = bootstrapped(rows)
        plain += low <= you - persona <= high
    assert np.mean(gaps) == pytest.approx(you - persona, abs=0.02)
    assert 0.915 <= covered / trials <= 0.99
    assert plain <= covered


def test_pairs_only() -> None:
    rows = [
        row("a", "you", 1.0, "s1"),
        row("a", "persona", 0.0, "s1"),
        row("b", "you", 1.0, "s2"),
        row("b", "persona", None, "s2"),  # missing: never a zero
        row("c", "you", 1.0, "s2"),  # put in one form only
        row("d", "you", 1.0, "s2"),
        row("d", "persona", 1.0, "s2"),
        row("e", "you", 0.5, "s1", "open"),
        row("e", "persona", 0.0, "s1", "open"),
    ]
    found = persona_gaps(reversed(rows))
    recall = found["recall"]
    assert list(found) == ["open", "recall"]
    assert (recall.pairs, recall.sections, recall.missing) == (2, 2, 1)
    assert (recall.you, recall.persona, recall.gap) == (1.0, 0.5, 0.5)
    assert found["open"].gap is None
    assert "one section" in str(found["open"].failure)


def test_no_pair_is_a_failure_and_no_number() -> None:
    found = persona_gaps([row("a", "you", 1.0), row("b", "persona", 0.0)])["recall"]
    assert (found.pairs, found.you, found.gap, found.interval) == (0, None, None, None)
    assert found.failure == "no question was put in both forms"
    lost = persona_gaps([row("a", "you", None), row("a", "persona", 1.0)])["recall"]
    assert (lost.missing, lost.gap) == (1, None)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "there are no rows"),
        ([row("a", "we", 1.0)], "no address form"),
        ([row("a", "you", 1.0), row("a", "you", 0.0)], "stands twice"),
        ([row("a", "you", 1.0, "s1"), row("a", "persona", 0.0, "s2")], "two sections"),
    ],
)
def test_a_malformed_table_is_an_error(rows: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(AnalysisError, match=said):
        persona_gaps(rows)
