"""Rates, paired comparisons, gates and verdicts: what the samples allow a report to say."""

from .claims import analyse, holm
from .means import over_groups
from .paired import compare
from .plan import Controls, Plan
from .reliability import split_half
from .results import Analysis, Cell, Comparison, Effect, Gate, Interval, Rate

__all__ = [
    "Analysis",
    "Cell",
    "Comparison",
    "Controls",
    "Effect",
    "Gate",
    "Interval",
    "Plan",
    "Rate",
    "analyse",
    "compare",
    "holm",
    "over_groups",
    "split_half",
]
