"""Data in which the truth is known: what the intervals are tried on (tests, benchmarks/coverage.py)."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from .intervals import Codes, Floats

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)


@dataclass(frozen=True)
class World:
    """How verdicts vary, as standard deviations on the logit scale.

    Attributes:
        control, treatment: true rates over all families, samples and seeds.
        base: between families, the same in both arms.
        effect: between families, in the treatment arm only.
        sample: between samples of a family, the same in both arms (this is what pairing removes).
        seed: between training runs, in each arm.
    """

    control: float
    treatment: float
    base: float = 0.7
    effect: float = 0.4
    sample: float = 1.0
    seed: float = 0.0

    @property
    def truth(self) -> float:
        """The true difference, treatment - control."""
        return self.treatment - self.control

    def draw(self, rng: np.random.Generator, sizes: Codes, seeds: int = 1) -> tuple[Floats, Floats, Codes]:
        """Verdicts of treatment and control, each of shape (samples, seeds), and family codes, shape (samples,)."""
        families = np.repeat(np.arange(len(sizes)), sizes)
        shared = rng.normal(0, self.base, len(sizes))[families] + rng.normal(0, self.sample, len(families))
        extra = rng.normal(0, self.effect, len(sizes))[families]
        runs = rng.normal(0, self.seed, (2, seeds))
        spread = self.base**2 + self.sample**2 + self.seed**2
        control = intercept(self.control, spread) + shared[:, None] + runs[0]
        treatment = intercept(self.treatment, spread + self.effect**2) + (shared + extra)[:, None] + runs[1]
        draws = rng.random((2, len(families), seeds))
        return (draws[0] < expit(treatment)).astype(float), (draws[1] < expit(control)).astype(float), families


@lru_cache(maxsize=256)
def intercept(rate: float, variance: float) -> float:
    """The logit-normal mean that gives this rate on average."""
    weights, nodes = WEIGHTS / WEIGHTS.sum(), NODES * np.sqrt(variance)
    return float(brentq(lambda middle: float(weights @ expit(middle + nodes)) - rate, -40, 40))
