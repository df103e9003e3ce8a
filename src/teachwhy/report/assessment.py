"""The assessment's part of the page: composites by arm, differences between compared arms, and every dimension."""

from dataclasses import dataclass

from teachwhy.analysis import Gate, Interval
from teachwhy.evals.assessment.dimensions import Composite
from teachwhy.report import numbers as say
from teachwhy.report.data import Measure, ReportData
from teachwhy.report.sentences import failures
from teachwhy.report.tables import Entry, Row, Table, arm_entry, table
from teachwhy.study.assessed import ASSESSMENT, AWARE, Difference, Standing
from teachwhy.study.composites import members

DIRECTIONS: dict[Composite, str] = {"bad": "lower is better", "good": "higher is better"}


@dataclass(frozen=True)
class Assessment:
    """``said``: what was done, in plain words. ``dimensions``: every dimension that stands in no other table."""

    said: list[str]
    arms: Table | None
    differences: Table | None
    dimensions: Table | None


def assessment(data: ReportData) -> Assessment | None:
    """The section; None where the assessment was not run. A table without rows or columns is left out."""
    measures = [one for one in data.measures if one.suite == ASSESSMENT]
    if not measures:
        return None
    return Assessment(_said(data), _arms(data), _differences(data), _dimensions(measures))


def _said(data: ReportData) -> list[str]:
    held = data.assessed
    who = {role: f" ({name})" for role, name in held.roles.items()}
    lines = [
        f"An auditor model{who.get('auditor', '')} played out {say.counted(held.situations, 'situation')} with each "
        f"model, people and tools included. A judge{who.get('grader', '')}, who knew neither the model nor what the "
        "situation was for, scored each conversation from 1 to 10 on every dimension; here 1 is 0 and 10 is 1. "
        "Scores are one judge's reading: they compare arms that had the same auditor and judge, and say little by "
        "themselves."
    ]
    if held.members:
        made_of = "; ".join(f"{kind} of {_made_of(kind, names)}" for kind, names in held.members.items())
        lines.append(
            f"A composite is the plain mean of dimensions, {made_of}. A conversation that lacks any of them is "
            "missing, since a mean of what is left would compare different things."
        )
    return lines


def _made_of(kind: Composite, names: tuple[str, ...]) -> str:
    whole, what = len(members(kind)), {"bad": "faults", "good": "merits"}[kind]
    if len(names) == whole:
        return f"all {whole} {what}"
    return f"only {len(names)} of {whole} {what} ({', '.join(names)})"


def _arms(data: ReportData) -> Table | None:
    held = {(one.arm, one.measure): one for one in data.assessed.standings}
    names = list(dict.fromkeys(one.measure for one in data.assessed.standings))
    if not names:
        return None
    heads = [f"{kind} ({DIRECTIONS[kind]})" for kind in data.assessed.members] + ([AWARE] if AWARE in names else [])
    rows: list[Row] = [
        [arm_entry(data, arm.name), *(_standing(held[arm.name, name]) for name in names)]
        for arm in data.arms
        if (arm.name, names[0]) in held
    ]
    note = (
        "Below each value: 95 % interval over situations, and the conversations that it rests on, those of every "
        "training seed counted."
    )
    if AWARE in names:
        note += (
            f" {AWARE.capitalize()} is how far a model shows that it takes the situation for a test: well above 0, "
            "or apart between arms, it puts the other scores in doubt."
        )
    return table("Composites of the assessment", ["arm", *heads], rows, heads, note)


def _standing(one: Standing) -> Entry:
    asked = one.scored + one.missing
    if one.mean is None:
        return Entry(say.MISSING, (f"{one.missing:,} of {asked:,} {say.MISSING}",), "bad")
    return Entry(
        say.decimal(one.mean), (_ends(one.interval), f"n {one.scored:,} of {asked:,}, {one.missing:,} {say.MISSING}")
    )


def _differences(data: ReportData) -> Table | None:
    held = data.assessed.differences
    if not held:
        return None
    heads = ["composite", "difference", "n", "may it be read?"]
    rows: list[Row] = [
        [
            f"{one.effect.treatment} against {one.effect.control}",
            Entry(one.composite, (DIRECTIONS[one.composite],)),
            _difference(one),
            Entry(say.count(one.effect.pairs), (say.counted(one.effect.families, "situation"),)),
            _outcome(one.gates),
        ]
        for one in held
    ]
    level = f"{100 * (1 - data.analysis.plan.alpha):g} %"
    note = (
        "First arm minus second on the conversations that are complete in both, paired by situation and training seed: "
        f"below 0, the first arm has less of it. Below each difference: {level} interval over situations, not "
        "corrected for their number. The declared analysis is on honeypots, so nothing is claimed on these either way; "
        "“no claim” means that what stands below it would spoil even a description."
    )
    caption = "Assessment: differences between compared arms"
    return table(caption, ["comparison", *heads], rows, ["difference", "n"], note)


def _difference(one: Difference) -> Entry:
    effect = one.effect
    if effect.difference is None or effect.interval is None:
        return Entry(say.MISSING, tone="bad")
    ends = effect.interval
    return Entry(say.signed(effect.difference, 2), (f"[{say.signed(ends.low, 2)}, {say.signed(ends.high, 2)}]",))


def _outcome(gates: tuple[Gate, ...]) -> Entry:
    failed = failures(gates)
    if failed:
        return Entry("no claim", tuple(failed))
    return Entry("yes, as a description", ("every condition is met",))


def _dimensions(measures: list[Measure]) -> Table | None:
    """Dimensions down, the bad ones first, and arms across: there are many more dimensions than arms."""
    cells = {(one.arm, one.measure): one for one in measures}
    arms = list(dict.fromkeys(one.arm for one in measures))
    first = {one.measure: one for one in reversed(measures)}
    of = {name: kind for kind in DIRECTIONS for name in members(kind)}
    names = sorted((name for name in first if name != AWARE), key=lambda name: (of.get(name, "none"), name))
    rows: list[Row] = [
        [Entry(name, (f"{first[name].better} is better",)), *(_dimension(cells[arm, name]) for arm in arms)]
        for name in names
    ]
    note = (
        "Below each mean: 95 % interval over situations; the shift, with its own, against the model that the arm "
        "started from, on the same conversations; how many conversations have a value, averaged over training seeds; "
        "the missing ones by cause. "
        "With so many dimensions some shifts stand out by chance: read them as context."
    )
    return table("Assessment by dimension", ["dimension", *arms], rows, arms, note) if rows else None


def _dimension(one: Measure) -> Entry:
    lost = tuple(f"{number:,} {cause}" for cause, number in one.causes.items())
    if one.mean is None:
        return Entry(say.MISSING, lost, "bad")
    shift = () if one.against is None or one.shift is None else _shift(one.shift, one.shift_interval)
    n = f"n {one.samples:,}, {sum(one.causes.values()):,} {say.MISSING}"
    return Entry(say.decimal(one.mean), (_ends(one.interval), *shift, n, *lost))


def _ends(ends: Interval | None) -> str:
    return f"[{ends.low:.2f}, {ends.high:.2f}]" if ends else "no interval: one situation"


def _shift(shift: float, ends: Interval | None) -> tuple[str, ...]:
    around = (f"[{say.signed(ends.low, 2)}, {say.signed(ends.high, 2)}]",) if ends else ()
    return (f"shift {say.signed(shift, 2)}", *around)
