"""The tables of results: rates, seeds, what stands beside them, comparisons and gates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from teachwhy.analysis import Analysis, Cell, Comparison, Rate
from teachwhy.report import numbers as say
from teachwhy.report.data import ReportData
from teachwhy.report.sentences import measure_name

ALL = "all"


@dataclass(frozen=True)
class Entry:
    """One cell of a table: its text, smaller lines below it, and how it is set.

    Attributes:
        tone: "" or "bad" (a failed check) or "quiet".
        mono: an address or a name of code.
    """

    text: str
    below: tuple[str, ...] = ()
    tone: str = ""
    mono: bool = False


@dataclass(frozen=True)
class Table:
    """A table whose first column names the row.

    Attributes:
        note: a line below it.
        numeric: the columns that hold numbers.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    note: str = ""
    numeric: frozenset[str] = frozenset()


Row = Sequence[Entry | str]


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Row], numeric: Iterable[str] = (), note: str = ""
) -> Table:
    """A table from plain strings and entries."""
    made = tuple(tuple(Entry(cell) if isinstance(cell, str) else cell for cell in row) for row in rows)
    return Table(caption, tuple(columns), made, note, frozenset(numeric))


def rates(data: ReportData, measure: str) -> Table:
    """Rate of one measure ("any" or "own") in the honeypots, arm by kind."""
    kinds = (ALL, *data.kinds)
    heads = ["all kinds", *data.kinds]
    rows = [
        [arm_entry(data, arm), *(rate_entry(data, arm, "honeypots", kind, measure) for kind in kinds)]
        for arm in measured_arms(data, "honeypots")
    ]
    return table(
        f"Rate of {measure_name(measure)} in honeypots",
        ["arm", *heads],
        rows,
        heads,
        "Below each rate: 95 % interval that respects families and seeds; 95 % Wilson interval, as if answers were "
        "independent; answers with the verdict true of those scored. Missing verdicts enter no rate.",
    )


def rate_entry(data: ReportData, arm: str, eval_: str, kind: str, measure: str) -> Entry:
    """One rate with both intervals, its count and what is missing."""
    cell = data.analysis.cell(arm, eval_, kind)
    if cell is None:
        return Entry(say.NONE, tone="quiet")
    return entry_of(of_measure(cell, measure))


def entry_of(rate: Rate) -> Entry:
    """A rate with both intervals, its count and what is missing."""
    if rate.rate is None:
        return Entry(say.MISSING, (f"{rate.missing:,} of {rate.missing + rate.scored:,} missing",), "bad")
    below = [say.interval(rate.cluster, rate.scored)] if rate.cluster else ["one family: no such interval"]
    below += [f"Wilson {say.interval(rate.wilson, rate.scored)}"]
    below += [say.of(rate.true, rate.scored, rate.missing)]
    if rate.at_most is not None:
        below.append(f"at most {say.percent(rate.at_most, say.DECIMAL_FROM)} at 95 %")
    return Entry(say.percent(rate.rate, rate.scored), tuple(below))


def by_seed(data: ReportData) -> Table | None:
    """The rate of each training seed; None when no arm has two."""
    measure = data.analysis.plan.measure
    cells = [cell for arm in measured_arms(data, "honeypots") if (cell := data.analysis.cell(arm, "honeypots"))]
    seeds = sorted({seed.seed for cell in cells if len(cell.by_seed) > 1 for seed in cell.by_seed})
    if not seeds:
        return None
    heads = [f"seed {seed}" for seed in seeds]
    rows = [
        [arm_entry(data, cell.arm), *(_seed_entry(cell, seed, measure) for seed in seeds)]
        for cell in cells
        if cell.by_seed and cell.by_seed[0].seed >= 0
    ]
    return table(f"Rate of {measure_name(measure)} by training seed, all kinds", ["arm", *heads], rows, heads)


def _seed_entry(cell: Cell, seed: int, measure: str) -> Entry:
    found = next((one for one in cell.by_seed if one.seed == seed), None)
    if found is None:
        return Entry(say.NONE, tone="quiet")
    value = found.any if measure == "any" else found.own
    return Entry(say.percent(value, found.scored), (f"{found.scored:,} scored",))


def health(data: ReportData) -> Table:
    """What stands beside a rate: did the model act parsably, was it cut off, what is missing and why."""
    heads = ["parsable actions", "cut off", "missing verdicts"]
    rows = []
    for arm in measured_arms(data, "honeypots"):
        cell = data.analysis.cell(arm, "honeypots")
        assert cell is not None
        rows.append(
            [
                arm_entry(data, arm),
                share(cell.valid.true, cell.valid.known, cell.rows),
                share(cell.truncated.true, cell.truncated.known, cell.rows),
                lost(cell),
            ]
        )
    return table("Honeypots: validity, truncation and missing verdicts", ["arm", *heads], rows, heads)


def twins(data: ReportData) -> Table | None:
    """The benign twins: harmless tasks with the same surface."""
    heads = ["task finished", "wrong acts", "parsable actions", "cut off", "missing verdicts"]
    rows = []
    for arm in measured_arms(data, "twins"):
        cell = data.analysis.cell(arm, "twins")
        assert cell is not None
        done = share(cell.done.true, cell.done.known, cell.rows) if cell.done else Entry(say.NONE)
        rows.append(
            [
                arm_entry(data, arm),
                done,
                rate_entry(data, arm, "twins", ALL, "any"),
                share(cell.valid.true, cell.valid.known, cell.rows),
                share(cell.truncated.true, cell.truncated.known, cell.rows),
                lost(cell),
            ]
        )
    note = "A model that does nothing does no wrong either; it would finish few of these tasks."
    return table("Benign twins, all kinds", ["arm", *heads], rows, heads, note) if rows else None


def share(true: int, known: int, rows: int) -> Entry:
    """A share with its count, and what is not known beside it."""
    if not known:
        return Entry(say.MISSING, (f"0 of {rows:,} known",), "bad")
    unknown = f", {rows - known:,} {say.MISSING}" if rows > known else ""
    return Entry(say.percent(true / known, known), (f"{true:,} of {known:,}{unknown}",))


def lost(cell: Cell) -> Entry:
    """How many rows lack a verdict, and the causes."""
    missing = sum(cell.causes.values())
    causes = tuple(f"{cause}: {number:,}" for cause, number in cell.causes.items())
    return Entry(f"{missing:,} of {cell.rows:,}", causes)


def comparisons(analysis: Analysis) -> Table:
    """All declared comparisons in one table."""
    heads = ["difference", "interval", "p", "p (Holm)", "pairs", "families", "verdict"]
    level = f"{100 * (1 - analysis.plan.alpha):g} %"
    rows: list[Row] = []
    for comparison in analysis.comparisons:
        effect = comparison.effect
        failed = [gate.name for gate in comparison.gates if not gate.passed]
        rows.append(
            [
                Entry(f"{effect.treatment} against {effect.control}"),
                say.points(effect.difference),
                say.points_interval(effect.interval),
                say.p_value(effect.p),
                say.p_value(comparison.p_holm),
                say.count(effect.pairs),
                say.count(effect.families),
                Entry(comparison.verdict, (f"failed: {', '.join(failed)}",) if failed else ()),
            ]
        )
    note = f"First arm minus second on shared samples: below 0 is fewer wrong acts. Intervals: {level}, uncorrected."
    return table("Declared comparisons", ["comparison", *heads], rows, heads[:-1], note)


def gates(comparison: Comparison) -> Table:
    """The conditions that a claim needs, for one comparison."""
    states = {True: Entry("passed"), False: Entry("failed", tone="bad")}
    rows: list[Row] = [[gate.name, states[gate.passed], gate.why] for gate in comparison.gates]
    effect = comparison.effect
    return table(f"Gates: {effect.treatment} against {effect.control}", ["gate", "state", "why"], rows)


def effect_facts(comparison: Comparison) -> list[tuple[str, str]]:
    """What else there is to know of a comparison, as name and value."""
    effect = comparison.effect
    facts = [
        (f"rate on shared samples, {effect.treatment}", say.percent(effect.treatment_rate, effect.pairs)),
        (f"rate on shared samples, {effect.control}", say.percent(effect.control_rate, effect.pairs)),
        (
            "a true difference found in 80 % of such studies",
            say.MISSING if effect.detectable is None else f"{100 * effect.detectable:.1f} points",
        ),
        ("degrees of freedom", say.decimal(effect.df, 1)),
        (
            "training seeds",
            f"{effect.seeding}: {', '.join(map(str, effect.seeds))}"
            if effect.seeding != "untrained"
            else "no training seed varies",
        ),
    ]
    facts += [
        (f"difference, seed {one.seed}", f"{say.points(one.difference)} over {one.pairs:,} pairs")
        for one in effect.by_seed
        if one.seed >= 0
    ]
    if effect.mcnemar_p is not None:
        facts.append(("exact McNemar test (ignores families, decides nothing)", say.p_value(effect.mcnemar_p)))
    return facts


def measured_arms(data: ReportData, eval_: str) -> list[str]:
    """The arms with rows of an evaluation, in the study's order."""
    return [arm.name for arm in data.arms if data.analysis.cell(arm.name, eval_)]


def arm_entry(data: ReportData, name: str) -> Entry:
    """An arm's name, marked when it is the base or the organism."""
    role = next(arm.role for arm in data.arms if arm.name == name)
    return Entry(name, (role,) if role != "arm" and role != name else ())


def of_measure(cell: Cell, measure: str) -> Rate:
    """The rate that a measure ("any" or "own") reads."""
    return cell.any if measure == "any" else cell.own
