"""Tokens and time of a training, before any of it is spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from teachwhy.training.plan import Settings, Stage, plan

CPU_RATE = 130.0
"""Tokens read per second by the embedded model on two AVX2 cores, where nothing was measured yet."""


@dataclass(frozen=True)
class Estimate:
    """What a training will read and teach, and how long it takes at a rate."""

    tokens: int
    supervised: int
    steps: int
    seconds: float


def estimate(
    base: Path, stages: Sequence[Stage], settings: Settings | None = None, seed: int = 0, *, rate: float = CPU_RATE
) -> Estimate:
    """Plan the stages, with the render check, and count.

    Args:
        rate: tokens read per second; a ledger of the same model on the same machine has it.

    Raises:
        RenderError, ModelError: as ``train`` would.
    """
    plans = plan(base, stages, settings or Settings(), seed)
    tokens = sum(one.tokens for one in plans)
    supervised, steps = sum(one.course.given for one in plans), sum(len(one.batched) for one in plans)
    return Estimate(tokens, supervised, steps, tokens / rate)
