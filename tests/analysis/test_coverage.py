"""A small simulation of what benchmarks/coverage.py shows at length: intervals that hold, and few false claims."""

import numpy as np
import pytest

from teachwhy.analysis.intervals import clustered_mean, clustered_rate
from teachwhy.analysis.simulation import World, intercept

REPEATS = 800
SLACK = 3 * np.sqrt(0.95 * 0.05 / REPEATS)
"""Three standard errors of a simulated coverage of 95 %, about 2.3 points."""

SOUND = [
    (4, 16, 0.3, 0.1),
    (4, 16, 0.5, 0.5),
    (4, 32, 0.3, 0.3),
    (8, 8, 0.3, 0.1),
    (8, 16, 0.1, 0.1),
    (8, 16, 0.5, 0.02),
    (20, 8, 0.02, 0.02),
    (20, 8, 0.1, 0.02),
    (20, 8, 0.5, 0.2),
    (20, 16, 0.3, 0.3),
]
COARSE = [(4, 8, 0.02, 0.02), (4, 8, 0.1, 0.1), (4, 16, 0.02, 0.02), (8, 8, 0.02, 0.02)]


def simulate(world: World, families: int, each: int, seeds: int = 1) -> tuple[float, float]:
    rng = np.random.default_rng(7)
    held = improved = 0
    for _ in range(REPEATS):
        treatment, control, codes = world.draw(rng, np.full(families, each), seeds)
        difference = treatment - control
        fit = clustered_mean(difference.mean(axis=1), codes, [difference.mean(axis=0)])
        held += fit.low <= world.truth <= fit.high
        improved += fit.p < 0.05 and fit.mean < 0
    return held / REPEATS, improved / REPEATS


@pytest.mark.parametrize(("families", "each", "control", "treatment"), SOUND)
def test_paired_coverage(families: int, each: int, control: float, treatment: float) -> None:
    held, improved = simulate(World(control, treatment), families, each)
    assert 0.93 - SLACK <= held <= 0.97 + SLACK
    assert control != treatment or improved <= 0.05


@pytest.mark.parametrize(("families", "each", "control", "treatment"), COARSE)
def test_where_counts_are_coarse_the_interval_errs_on_the_wide_side(
    families: int, each: int, control: float, treatment: float
) -> None:
    held, improved = simulate(World(control, treatment), families, each)
    assert held >= 0.95
    assert improved <= 0.05


@pytest.mark.parametrize(("families", "seeds", "sd"), [(4, 2, 0.5), (8, 2, 0.0), (8, 3, 0.2), (20, 3, 0.5)])
def test_training_variation_does_not_make_false_claims(families: int, seeds: int, sd: float) -> None:
    held, improved = simulate(World(0.3, 0.3, seed=sd), families, 8, seeds)
    assert held >= 0.93 - SLACK
    assert improved <= 0.05 + SLACK


@pytest.mark.parametrize(("families", "rate"), [(4, 0.3), (8, 0.1), (8, 0.5), (20, 0.02), (20, 0.3)])
def test_rate_coverage(families: int, rate: float) -> None:
    rng, world, held = np.random.default_rng(8), World(rate, rate), 0
    for _ in range(REPEATS):
        _, verdicts, codes = world.draw(rng, np.full(families, 8))
        interval = clustered_rate(verdicts[:, 0], codes, len(codes), verdicts.mean(axis=0))
        held += interval.low <= rate <= interval.high
    assert held / REPEATS >= 0.93 - SLACK


def test_the_simulated_worlds_have_the_rates_they_claim() -> None:
    world = World(0.1, 0.4, base=1.2, effect=0.8)
    treatment, control, _ = world.draw(np.random.default_rng(9), np.full(20_000, 2))
    assert (treatment.mean(), control.mean()) == pytest.approx((0.4, 0.1), abs=0.01)
    assert world.truth == pytest.approx(0.3)
    assert intercept(0.5, 2.0) == pytest.approx(0, abs=1e-9)
