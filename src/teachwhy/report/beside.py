"""The tables of what stands beside the declared analysis: factor levels, persona gap, graders."""

from itertools import groupby

from teachwhy.report import numbers as say
from teachwhy.report.data import ReportData
from teachwhy.report.tables import Entry, Row, Table, entry_of, table

SHOWN = 30
"""Answers that are listed; the files beside the report hold all of them."""

_STATES = {True: "true", False: "false", None: say.MISSING}


def level_tables(data: ReportData) -> list[Table]:
    """One table a factor that varies: levels down, arms across."""
    return [_levels(factor, data) for factor, _ in groupby(data.beside.levels, key=lambda one: one.factor)]


def _levels(factor: str, data: ReportData) -> Table:
    held = {(one.level, one.arm): one.rate for one in data.beside.levels if one.factor == factor}
    arms = [arm.name for arm in data.arms if any(arm.name == name for _, name in held)]
    rows: list[Row] = [
        [level, *(entry_of(held[level, arm]) if (level, arm) in held else Entry(say.NONE) for arm in arms)]
        for level in dict.fromkeys(level for level, _ in held)
    ]
    note = "Intervals and counts as above. No comparison was declared on these: read them as description."
    return table(f"Rate of any wrong act in honeypots by {factor}", [factor, *arms], rows, arms, note)


def persona_table(data: ReportData) -> Table | None:
    """The persona gap, arm by measure."""
    held = {(one.arm, one.gap.measure): one.gap for one in data.beside.gaps}
    if not held:
        return None
    measures = list(dict.fromkeys(measure for _, measure in held))
    rows: list[Row] = []
    for arm in [arm.name for arm in data.arms if any(arm.name == name for name, _ in held)]:
        row: list[Entry | str] = [arm]
        for measure in measures:
            gap = held.get((arm, measure))
            if gap is None:
                row.append(Entry(say.NONE, tone="quiet"))
                continue
            counts = f"{say.counted(gap.pairs, 'pair')}, {say.counted(gap.sections, 'section')}, {gap.missing} missing"
            if gap.gap is None:
                row.append(Entry(say.MISSING, (gap.failure or "", counts), "bad"))
                continue
            forms = f"you {say.percent(gap.you, gap.pairs)}, persona {say.percent(gap.persona, gap.pairs)}"
            row.append(Entry(say.points(gap.gap), (say.points_interval(gap.interval), forms, counts)))
        rows.append(row)
    note = (
        "The same questions about the constitution, put as to the model itself and as about the persona by name: the "
        "difference, you minus persona, paired by question, with a 95 % interval over sections."
    )
    return table("Persona gap", ["arm", *measures], rows, measures, note)


def grader_tables(data: ReportData) -> list[Table]:
    """Rules against judge and against the older logic; what was not measured is left out."""
    made = [_agreement(data), _confusion(data), _apart(data), _legacy(data)]
    return [one for one in made if one is not None and one.rows]


def _agreement(data: ReportData) -> Table:
    heads = ["agree", "kappa", "only rules say wrong", "only the judge says wrong", "rules missing", "judge missing"]
    rows: list[Row] = [
        [
            "all arms" if one.arm == "all" else one.arm,
            Entry(
                say.MISSING if not one.decided else say.percent(one.agree / one.decided, one.decided),
                (f"{one.agree:,} of {one.decided:,} that both decided", f"{one.n:,} judged"),
            ),
            "not defined" if one.kappa is None else say.decimal(one.kappa, 2),
            *map(say.count, (one.rules_only, one.judge_only, one.rules_missing, one.judge_missing)),
        ]
        for one in data.beside.agreement
    ]
    note = "Of any wrong act, honeypots and twins. Kappa is Cohen's, over the answers that both decided."
    return table("Rules and judge", ["arm", *heads], rows, heads, note)


def _confusion(data: ReportData) -> Table:
    names = ("true", "false", "missing")
    rows: list[Row] = [
        [f"rules {name}", *map(say.count, counts)] for name, counts in zip(names, data.beside.confusion, strict=False)
    ]
    heads = [f"judge {name}" for name in names]
    return table("Rules (rows) against judge (columns), any wrong act", ["verdict", *heads], rows, heads)


def _apart(data: ReportData) -> Table:
    held = data.beside.apart
    rows: list[Row] = [
        [
            one.answer,
            Entry(_STATES[one.rules], (one.rules_reason,)),
            Entry(_STATES[one.judge], (one.judge_reason,)),
        ]
        for one in held[:SHOWN]
    ]
    more = f" The first {SHOWN} of them." if len(held) > SHOWN else ""
    note = f"Arm, seed and sample.{more} tables/beside.json has all of them."
    caption = f"{say.counted(len(held), 'answer')} of which rules and judge say different things"
    return table(caption, ["answer", "rules", "judge"], rows, (), note)


def _legacy(data: ReportData) -> Table:
    rows: list[Row] = []
    for one in data.beside.legacy:
        some, more = one.answers[:5], len(one.answers) - 5
        listed = (*some, f"and {more:,} more") if more > 0 else some
        rows.append([one.why, Entry(say.count(len(one.answers))), Entry(listed[0], listed[1:])])
    note = (
        "How the scoring logic of the older public suite would have read the same answers, for comparison only. "
        "tables/beside.json lists all of them."
    )
    return table(
        "Verdicts that the older logic would have given otherwise", ["why", "answers", "which"], rows, ["answers"], note
    )
