"""Draws follow the softmax, and only the softmax."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, kstest

from teachwhy.models.sampling import draw, make_settings, uniforms

CPU = torch.device("cpu")
LOGITS = torch.tensor([2.0, 1.0, 0.5, 0.0, -1.0, -1.5, 1.5, -3.0])
N = 20_000


def counts(temperature: float = 1.0, top_p: float = 1.0, top_k: int = 0, logits: torch.Tensor = LOGITS) -> np.ndarray:
    settings = make_settings([(seed, temperature, top_p, top_k) for seed in range(N)], CPU)
    drawn = draw(logits.repeat(N, 1), settings, torch.full((N,), 7))
    return np.bincount(drawn.numpy(), minlength=len(logits))


def test_uniforms_are_uniform_over_seeds_and_over_positions() -> None:
    over_seeds = uniforms(torch.arange(N), torch.full((N,), 3))
    over_positions = uniforms(torch.full((N,), 3), torch.arange(N))
    for values in (over_seeds, over_positions):
        assert kstest(values.numpy(), "uniform").pvalue > 0.001
        assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.03
    assert float(uniforms(torch.tensor([2**62]), torch.tensor([0]))) < 1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_frequencies_follow_the_softmax(temperature: float) -> None:
    expected = torch.softmax(LOGITS.double() / temperature, 0).numpy() * N
    assert chisquare(counts(temperature), expected).pvalue > 0.001


def test_top_k_keeps_k_and_renormalises() -> None:
    found, kept = counts(top_k=3), [0, 1, 6]
    assert sorted(np.flatnonzero(found)) == kept
    expected = torch.softmax(LOGITS[kept].double(), 0).numpy() * N
    assert chisquare(found[kept], expected).pvalue > 0.001


def test_top_p_keeps_the_smallest_set_with_that_mass() -> None:
    # The softmax's largest shares are .43, .26, .16: two have .69, so 0.7 needs three.
    assert sorted(np.flatnonzero(counts(top_p=0.70))) == [0, 1, 6]
    assert sorted(np.flatnonzero(counts(top_p=0.60))) == [0, 6]
    assert sorted(np.flatnonzero(counts(top_p=0.01))) == [0]


def test_top_p_looks_further_when_the_distribution_is_flat() -> None:
    logits = torch.zeros(1000) + torch.linspace(0, 0.01, 1000)
    kept = int((counts(top_p=0.5, logits=logits) > 0).sum())
    assert 480 <= kept <= 505


def test_top_p_counts_within_top_k() -> None:
    assert sorted(np.flatnonzero(counts(top_k=2, top_p=0.6))) == [0]
    assert sorted(np.flatnonzero(counts(top_k=2, top_p=0.7))) == [0, 6]


def test_rows_draw_by_their_own_settings() -> None:
    settings = make_settings([(1, 0.0, 1.0, 0), (2, 1.0, 1.0, 1), (3, 1.0, 1.0, 0), (3, 1.0, 1.0, 0)], CPU)
    drawn = draw(LOGITS.repeat(4, 1), settings, torch.tensor([5, 5, 5, 5])).tolist()
    assert drawn[:2] == [0, 0]
    assert drawn[2] == drawn[3]


def test_seeds_of_any_size_are_taken() -> None:
    settings = make_settings([(2**64 - 1, 1.0, 1.0, 0), (-1, 1.0, 1.0, 0)], CPU)
    first, second = draw(LOGITS.repeat(2, 1), settings, torch.tensor([5, 5])).tolist()
    assert first == second
