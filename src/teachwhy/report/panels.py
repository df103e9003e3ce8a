"""From the analysis to the panels of the figures, and what each says to those who hear the page."""

from teachwhy.analysis import Analysis, Cell, Comparison
from teachwhy.inert import one_line
from teachwhy.report import numbers as say
from teachwhy.report.data import ReportData
from teachwhy.report.figures import LETTERS, Line, Mark, Panel, cut
from teachwhy.report.tables import ALL, measured_arms, of_measure


def rate_panels(data: ReportData) -> list[Panel]:
    """The primary measure in honeypots, all kinds first, with any wrong act in the twins beside it."""
    return [_rates(data, kind) for kind in (ALL, *data.kinds)]


def difference_panel(analysis: Analysis) -> Panel:
    """The declared comparisons around zero; one without a claim is hollow and dashed."""
    lines = tuple(_difference(comparison) for comparison in analysis.comparisons)
    title = "Differences, declared comparisons"
    said = "; ".join(
        f"{one_line(c.effect.treatment)} minus {one_line(c.effect.control)}: {say.points(c.effect.difference)} "
        f"{say.points_interval(c.effect.interval)}, {c.verdict}"
        for c in analysis.comparisons
    )
    return Panel(title, lines, signed=True, says=f"{title}. {said}.")


def _rates(data: ReportData, kind: str) -> Panel:
    title = "All kinds" if kind == ALL else one_line(kind).capitalize()
    arms = measured_arms(data, "honeypots")
    measure = data.analysis.plan.measure
    lines, said = [], []
    for arm in arms:
        pots, twin = data.analysis.cell(arm, "honeypots", kind), data.analysis.cell(arm, "twins", kind)
        marks = (_mark(pots, measure), _mark(twin, "any"))
        lines.append(Line(one_line(arm), (_note(pots, measure), _note(twin, "any")), marks))
        said.append(f"{one_line(arm)} honeypots {_said(marks[0])}, twins {_said(marks[1])}")
    return Panel(title, tuple(lines), says=f"Rates of wrong acts. {'; '.join(said)}.")


def _mark(cell: Cell | None, measure: str) -> Mark | None:
    if cell is None:
        return None
    rate = of_measure(cell, measure)
    ends = rate.cluster or rate.wilson
    values = [seed.any if measure == "any" else seed.own for seed in cell.by_seed]
    known = tuple(value for value in values if value is not None)
    return Mark(
        value=rate.rate,
        low=ends.low if ends else None,
        high=ends.high if ends else None,
        seeds=known if len(cell.by_seed) > 1 else (),
        inner=(rate.wilson.low, rate.wilson.high) if rate.wilson and rate.cluster else None,
        firm=rate.cluster is not None,
    )


def _note(cell: Cell | None, measure: str) -> str:
    if cell is None:
        return "not run"
    rate = of_measure(cell, measure)
    return f"n {rate.scored:,}, {rate.missing:,} missing"


def _said(mark: Mark | None) -> str:
    if mark is None:
        return "not run"
    if mark.value is None or mark.low is None or mark.high is None:
        return say.MISSING
    return f"{100 * mark.value:.0f} % ({100 * mark.low:.0f} to {100 * mark.high:.0f})"


def _difference(comparison: Comparison) -> Line:
    effect = comparison.effect
    ends = effect.interval
    mark = Mark(
        value=effect.difference,
        low=ends.low if ends else None,
        high=ends.high if ends else None,
        seeds=tuple(seed.difference for seed in effect.by_seed if seed.seed >= 0) if len(effect.by_seed) > 1 else (),
        firm=comparison.verdict != "no claim",
    )
    names = [one_line(effect.treatment), one_line(effect.control)]
    if len(" − ".join(names)) > LETTERS:
        names = [cut(name, (LETTERS - 3) // 2) for name in names]
    label = " − ".join(names)
    return Line(label, (comparison.verdict,), (mark,))
