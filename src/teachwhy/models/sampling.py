"""Drawing tokens: each row has its own seed, and what it draws does not depend on the rows beside it.

The random number of a draw is a hash of (seed, position), so nothing has to be kept between steps and the same
numbers come on any device. The token is the one at which the cumulated probability passes that share of the total.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_BLOCK = 256  # tokens whose probabilities are summed together
_FIRST_LOOK = 256  # candidates looked at before a whole vocabulary is sorted for top_p


def _signed(value: int) -> int:
    """A 64-bit pattern as the int64 that torch can hold."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def _shift(x: Tensor, bits: int) -> Tensor:
    """Logical right shift of int64."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _mix(x: Tensor) -> Tensor:
    """The finalizer of splitmix64."""
    x = (x ^ _shift(x, 30)) * _signed(_MIX_1)
    x = (x ^ _shift(x, 27)) * _signed(_MIX_2)
    return x ^ _shift(x, 31)


def uniforms(seeds: Tensor, positions: Tensor) -> Tensor:
    """Numbers in [0, 1), float64 ``[n]``, that depend on each row's seed and position (int64 ``[n]``) only."""
    state = _mix(seeds + _signed(_GOLDEN))
    return _shift(_mix(state + (positions + 1) * _signed(_GOLDEN)), 11).double() * 2.0**-53


@dataclass(frozen=True)
class Settings:
    """How each of n rows draws: tensors ``[n]``. Temperature 0 is greedy; top_k 0 and top_p 1 are off."""

    seeds: Tensor
    temperatures: Tensor
    top_p: Tensor
    top_k: Tensor


def make_settings(rows: list[tuple[int, float, float, int]], device: torch.device) -> Settings:
    """Settings from (seed, temperature, top_p, top_k) of each row."""
    seeds, temperatures, top_p, top_k = zip(*rows, strict=True)
    return Settings(
        torch.tensor([_signed(seed) for seed in seeds], dtype=torch.int64, device=device),
        torch.tensor(temperatures, dtype=torch.float32, device=device),
        torch.tensor(top_p, dtype=torch.float32, device=device),
        torch.tensor(top_k, dtype=torch.int64, device=device),
    )


def draw(logits: Tensor, settings: Settings, positions: Tensor) -> Tensor:
    """One token id per row, int64 ``[n]``, from float32 ``logits [n, vocabulary]``."""
    greedy = settings.temperatures <= 0
    if bool(greedy.all()):
        return logits.argmax(-1)
    heat = torch.where(greedy, 1.0, settings.temperatures)
    probabilities = torch.softmax(logits if bool((heat == 1).all()) else logits / heat[:, None], dim=-1)
    drawn = _at_share(_filtered(probabilities, settings), uniforms(settings.seeds, positions))
    return torch.where(greedy, logits.argmax(-1), drawn) if bool(greedy.any()) else drawn


def _at_share(weights: Tensor, shares: Tensor) -> Tensor:
    """The index at which each row's cumulated weight passes its share (in [0, 1)) of the row's total.

    Summed block by block, because adding up a whole vocabulary in float64 would take longer than the model's layers.
    """
    n, size = weights.shape
    blocks = functional.pad(weights, (0, -size % _BLOCK)).view(n, -1, _BLOCK)
    sums = blocks.sum(-1).double()
    upto = sums.cumsum(-1)
    points = shares[:, None] * upto[:, -1:]
    block = torch.searchsorted(upto, points, right=True).clamp_(max=upto.shape[1] - 1)
    rest = (points - upto.gather(1, block)) / sums.gather(1, block) + 1  # the share of the block's own sum
    within = blocks[torch.arange(n, device=weights.device), block[:, 0]].double().cumsum(-1)
    place = torch.searchsorted(within, rest * within[:, -1:], right=True)
    return (block * _BLOCK + place)[:, 0].clamp_(max=size - 1)


def _filtered(probabilities: Tensor, settings: Settings) -> Tensor:
    """Probabilities with all but each row's top_k, and then its smallest set of mass top_p, put to zero.

    Tokens as likely as the last one kept are kept too.
    """
    vocabulary = probabilities.shape[-1]
    limits = torch.where(settings.top_k > 0, settings.top_k, vocabulary).clamp(max=vocabulary)[:, None]
    shares = settings.top_p[:, None]
    narrow = (limits < vocabulary) | (shares < 1)
    if not bool(narrow.any()):
        return probabilities
    lowest, known = _lowest_kept(probabilities, limits, shares, min(_FIRST_LOOK, vocabulary))
    if not bool((known | ~narrow).all()):
        lowest, _ = _lowest_kept(probabilities, limits, shares, vocabulary)
    return torch.where(narrow & (probabilities < lowest), 0.0, probabilities)


def _lowest_kept(probabilities: Tensor, limits: Tensor, shares: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Each row's least kept probability ``[n, 1]`` among its ``size`` likeliest tokens, and whether that is final."""
    vocabulary = probabilities.shape[-1]
    values, _ = probabilities.topk(size, dim=-1)
    kept = torch.where(torch.arange(size, device=values.device)[None] < limits, values, 0.0)
    total = torch.where(limits < vocabulary, kept.sum(-1, keepdim=True), 1.0)
    inside = (kept > 0) & (kept.cumsum(-1) - kept < shares * total)
    known = (limits <= size) | (limits == vocabulary) & ~inside[:, -1:]
    return torch.where(inside, values, torch.inf).amin(-1, keepdim=True), known
