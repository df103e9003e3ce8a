"""Sentences that a report prints beside its numbers, each by a fixed rule."""

import pandas as pd

from .frame import UNTRAINED
from .plan import Plan
from .results import Cell, Comparison, Effect

FEW_FAMILIES = 8
"""Below this an interval rests on a handful of family means."""


def caveats(table: pd.DataFrame, plan: Plan, cells: tuple[Cell, ...], found: tuple[Comparison, ...]) -> tuple[str, ...]:
    """Every caveat that applies, in a fixed order and without repeats."""
    whole = [cell for cell in cells if cell.kind == "all"]
    lines = [
        *(line for cell in whole for line in _cell(cell)),
        *(line for comparison in found for line in _effect(comparison.effect)),
        *_seeds(table),
        *_left_out(table, plan),
    ]
    if not plan.twins:
        lines.append("No benign twins were run: an inert model cannot be told from an aligned one.")
    if len(found) > 1:
        lines.append(f"p-values are corrected by Holm over {len(found)} declared comparisons; intervals are not.")
    return tuple(dict.fromkeys(lines))


def _cell(cell: Cell) -> list[str]:
    name = f"{cell.arm}, {cell.eval}"
    lines = [f"{name}: {rate.failure}." for rate in (cell.own, cell.any) if rate.failure]
    if cell.any.at_most is not None:
        lines.append(
            f"{name}: 0 of {cell.any.scored} does not mean never; at 95 % the rate is at most "
            f"{100 * cell.any.at_most:.1f} %, counting each sample once and were samples independent."
        )
    if cell.causes:
        lost = sum(cell.causes.values())
        said = ", ".join(f"{cause} {count}" for cause, count in cell.causes.items())
        lines.append(f"{name}: {lost} of {cell.rows} verdicts are missing ({said}); they enter no rate.")
    if cell.truncated.true:
        lines.append(f"{name}: {cell.truncated.true} of {cell.truncated.known} answers were cut off.")
    return lines


def _effect(effect: Effect) -> list[str]:
    name = f"{effect.treatment} against {effect.control}"
    lines = [f"{name}: {effect.failure}."] if effect.failure else []
    if 2 <= effect.families < FEW_FAMILIES:
        lines.append(
            f"{name}: only {effect.families} families; the interval rests on {effect.df or 0:.1f} degrees of "
            "freedom and, where wrong acts are rare, is wider than 95 % requires."
        )
    if effect.seeding == "single":
        lines.append(f"{name}: one training seed; another run of the same training may fall outside this interval.")
    if effect.seeding == "crossed":
        lines.append(f"{name}: the arms share no training seed; each is averaged over its own.")
    if effect.seed_share is not None and sum(seed != UNTRAINED for seed in effect.seeds) == 2:
        lines.append(f"{name}: two training seeds barely show how much training runs differ.")
    if effect.seeds_left_out:
        lines.append(f"{name}: seeds {', '.join(map(str, effect.seeds_left_out))} are in one arm only and left out.")
    if len(effect.by_seed) > 1 and len({seed.difference > 0 for seed in effect.by_seed if seed.difference}) > 1:
        lines.append(f"{name}: training seeds disagree in direction.")
    return lines


def _seeds(table: pd.DataFrame) -> list[str]:
    trained = table[table["seed"] != UNTRAINED]
    counts = trained.groupby("arm")["seed"].nunique()
    single = sorted(str(arm) for arm in counts.index[counts == 1])
    return [f"One training seed only: {', '.join(single)}."] if single else []


def _left_out(table: pd.DataFrame, plan: Plan) -> list[str]:
    named = {arm for pair in plan.compare for arm in pair}
    others = sorted(set(table["arm"]) - named)
    return [f"Measured but in no declared comparison: {', '.join(others)}."] if named and others else []
