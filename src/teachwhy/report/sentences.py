"""One plain sentence for each comparison, by rule: it says what the verdict says and no more."""

from collections.abc import Sequence
from dataclasses import dataclass

from teachwhy.analysis import Analysis, Comparison, Effect, Gate
from teachwhy.report import numbers as say

GATES = {
    "controls": "a control that a claim needs is missing or unequal",
    "dose": "the two arms were not taught equally many supervised tokens",
    "attrition": "too many verdicts are missing, or more in one arm than in the other",
    "truncation": "too many answers were cut off, or more in one arm than in the other",
    "validity": "the first arm takes fewer parsable actions, and a model that does nothing would look good",
    "twins": "the first arm finishes fewer harmless tasks, and a model that does nothing would look good",
    "saturation": "both arms are at the same end of the scale, where no difference can show",
    "size": "too little was measured",
    "good": "the first arm does less good, and a model that does nothing would look harmless",
}
"""Gate -> what its failure means. A gate that is not here is named as it is."""

VERDICTS = ("improved", "worse", "no difference shown", "no claim")


@dataclass(frozen=True)
class Answer:
    """What the page says first of one comparison.

    Attributes:
        title: the two arms. verdict: the verdict word.
        difference: with its interval, or MISSING. observed: it was seen, but is no finding.
        sentence: in plain English. reasons: why no claim is made, where there is more than one reason.
    """

    title: str
    verdict: str
    difference: str
    observed: bool
    sentence: str
    reasons: tuple[str, ...]


def answer(comparison: Comparison, analysis: Analysis) -> Answer:
    """The answer of one declared comparison."""
    effect = comparison.effect
    reasons = _reasons(comparison) if comparison.verdict == "no claim" else ()
    more = reasons if len(reasons) > 1 else ()
    return Answer(
        title=f"{effect.treatment} against {effect.control}",
        verdict=comparison.verdict,
        difference=difference(effect, analysis.plan.alpha),
        observed=comparison.verdict == "no claim",
        sentence=sentence(comparison, analysis),
        reasons=more,
    )


def difference(effect: Effect, alpha: float) -> str:
    """ "−14.1 points, 95 % interval [−24.0, −4.2]"."""
    if effect.difference is None:
        return say.MISSING
    return f"{say.points(effect.difference)}, {_level(alpha)} interval {say.points_interval(effect.interval)}"


def sentence(comparison: Comparison, analysis: Analysis) -> str:
    """The sentence for a comparison, by its verdict word."""
    effect = comparison.effect
    if comparison.verdict == "no claim":
        reasons = _reasons(comparison)
        why = reasons[0] if len(reasons) == 1 else f"{len(reasons)} conditions are not met"
        return f"No claim is made on {effect.treatment} against {effect.control}: {why}."
    if comparison.verdict == "no difference shown":
        return _no_difference(comparison, analysis)
    how = "less" if comparison.verdict == "improved" else "more"
    return (
        f"{effect.treatment} chose {act(effect.measure)} {how} often than {effect.control}: in {_rates(effect)} "
        f"of the answers to the same {_base(effect)} ({_tested(comparison, analysis)}).{_seeds(effect)}"
    )


def headline(analysis: Analysis) -> str:
    """How the declared comparisons came out, counted."""
    words = [comparison.verdict for comparison in analysis.comparisons]
    if not words:
        return "No comparison was declared, so nothing is claimed."
    counts = ", ".join(f"{words.count(word)} {word}" for word in VERDICTS if word in words)
    return f"{say.counted(len(words), 'declared comparison')}: {counts}."


def act(measure: str) -> str:
    """What the measure counts, as an object of a sentence."""
    return "a wrong act (of any kind)" if measure == "any" else "the wrong act of the scenario's own kind"


def measure_name(measure: str) -> str:
    """What the measure counts, as a name."""
    return "any wrong act" if measure == "any" else "the scenario's own wrong act"


def _no_difference(comparison: Comparison, analysis: Analysis) -> str:
    effect = comparison.effect
    text = (
        f"The data show no difference between {effect.treatment} and {effect.control}: {act(effect.measure)} in "
        f"{_rates(effect)} of the answers to the same {_base(effect)} ({_tested(comparison, analysis)}). "
        "This does not show that they are equal"
    )
    if effect.interval is None:
        return f"{text}."
    if effect.interval.low <= 0 <= effect.interval.high:
        ends = f"{say.signed(100 * effect.interval.low)} to {say.signed(100 * effect.interval.high)}"
        return f"{text}: any difference from {ends} points agrees with the data."
    declared = say.counted(len(analysis.comparisons), "comparison")
    return f"{text}: the interval alone leaves out 0, but not after correction over {declared}."


def _reasons(comparison: Comparison) -> tuple[str, ...]:
    effect = comparison.effect
    found = [effect.failure] if effect.failure else []
    found += failures(comparison.gates)
    return tuple(found) or (comparison.why or "no difference could be estimated",)


def failures(gates: Sequence[Gate]) -> list[str]:
    """What each gate that failed means, and why it did."""
    return [f"{GATES.get(gate.name, f'the gate {gate.name} failed')} ({gate.why})" for gate in gates if not gate.passed]


def _rates(effect: Effect) -> str:
    rates = [say.percent(rate, effect.pairs) for rate in (effect.treatment_rate, effect.control_rate)]
    return f"{rates[0]} against {rates[1]}"


def _base(effect: Effect) -> str:
    samples = say.counted(effect.pairs, "sample")
    return f"{samples} from {say.counted(effect.families, 'scenario family', 'scenario families')}"


def _tested(comparison: Comparison, analysis: Analysis) -> str:
    declared = len(analysis.comparisons)
    corrected = f" after Holm's correction over {say.counted(declared, 'comparison')}" if declared > 1 else ""
    return f"{say.p_value(comparison.p_holm)}{corrected}"


def _seeds(effect: Effect) -> str:
    if effect.seeding == "single":
        return " With one training seed, another run of the same training may differ by more."
    signs = {seed.difference > 0 for seed in effect.by_seed if seed.difference}
    if len(signs) > 1:
        return " The training seeds disagree in direction."
    return ""


def _level(alpha: float) -> str:
    return f"{100 * (1 - alpha):g} %"
