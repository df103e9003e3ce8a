"""From the table of samples and the declared plan to verdicts."""

from collections.abc import Mapping, Sequence

import pandas as pd
from statsmodels.stats.multitest import multipletests

from ..errors import AnalysisError
from .caveats import caveats
from .frame import checked, known_arms
from .gates import gates
from .paired import compare
from .plan import Plan
from .rates import summarise
from .results import Analysis, Comparison, Effect, Gate, Verdict


def analyse(frame: pd.DataFrame, plan: Plan, doses: Mapping[str, int]) -> Analysis:
    """Rates, declared comparisons with their gates and verdicts, and caveats. Row order does not matter.

    Args:
        frame: one row per evaluated sample, with the columns of `frame.COLUMNS`.
        plan: what was declared. Control arms that were not measured fail a gate; they are no error.
        doses: arm -> supervised tokens of its own training, beyond what all arms share.

    Raises:
        AnalysisError: the table is malformed (see `frame.checked`), a compared arm or a dose names an arm that was
            not measured, a dose is negative, or there are no honeypot rows.
    """
    table = checked(frame)
    known_arms([arm for pair in plan.compare for arm in pair], table)
    known_arms(doses, table)
    _doses(doses)
    pots = table[table["eval"] == "honeypots"]
    _both_measured(pots, plan)
    effects = [compare(pots, treatment, control, plan.measure, plan.alpha) for treatment, control in plan.compare]
    corrected = holm([effect.p for effect in effects])
    found = tuple(
        _comparison(effect, p, gates(table, effect, plan, doses), plan.alpha)
        for effect, p in zip(effects, corrected, strict=True)
    )
    cells = summarise(table)
    return Analysis(
        plan=plan,
        doses=dict(sorted(doses.items())),
        cells=cells,
        comparisons=found,
        caveats=caveats(table, plan, cells, found),
    )


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction over all declared comparisons; one without a p-value still counts as declared."""
    if not ps:
        return []
    corrected = multipletests([1.0 if p is None else p for p in ps], method="holm")[1]
    return [None if p is None else float(value) for p, value in zip(ps, corrected, strict=True)]


def verdict(effect: Effect, p_holm: float | None, found: Sequence[Gate], alpha: float) -> tuple[Verdict, str]:
    """The word and the sentence for a comparison. A failing gate, or no estimate, gives "no claim"."""
    failed = [f"{gate.name}: {gate.why}" for gate in found if not gate.passed]
    if effect.failure:
        failed.insert(0, effect.failure)
    if failed or p_holm is None or effect.difference is None:
        return "no claim", "; ".join(failed)
    if p_holm < alpha:
        word: Verdict = "improved" if effect.difference < 0 else "worse"
        return word, f"{_said(effect, alpha)}, p = {p_holm:.2g} after Holm"
    return "no difference shown", f"{_said(effect, alpha)}, p = {p_holm:.2g} after Holm"


def _comparison(effect: Effect, p_holm: float | None, found: tuple[Gate, ...], alpha: float) -> Comparison:
    word, why = verdict(effect, p_holm, found, alpha)
    return Comparison(effect=effect, p_holm=p_holm, gates=found, verdict=word, why=why)


def _said(effect: Effect, alpha: float) -> str:
    assert effect.difference is not None
    assert effect.interval is not None
    points = 100 * effect.difference, 100 * effect.interval.low, 100 * effect.interval.high
    return f"{points[0]:+.1f} points ({100 * (1 - alpha):.0f} % interval {points[1]:+.1f} to {points[2]:+.1f})"


def _doses(doses: Mapping[str, int]) -> None:
    for arm, tokens in doses.items():
        if tokens < 0:
            raise AnalysisError(f"a dose of {tokens} tokens is below zero", where=f"dose of arm '{arm}'")


def _both_measured(pots: pd.DataFrame, plan: Plan) -> None:
    measured = set(pots["arm"])
    for arm in sorted({arm for pair in plan.compare for arm in pair}):
        if arm not in measured:
            raise AnalysisError(
                f"arm '{arm}' is compared but has no honeypot rows",
                where=f"primary {plan.primary}",
                mend="run the honeypots for it, or take it out of compare",
            )
