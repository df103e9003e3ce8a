"""The page as data: every sentence, table and figure in reading order, the same for HTML and for Markdown."""

from dataclasses import dataclass

from teachwhy.analysis import Comparison
from teachwhy.report import numbers as say
from teachwhy.report import run_tables, tables
from teachwhy.report.assessment import Assessment, assessment
from teachwhy.report.beside import grader_tables, level_tables, persona_table
from teachwhy.report.data import ReportData, Transcript
from teachwhy.report.figures import Panel
from teachwhy.report.measures import distance_table, suite_tables
from teachwhy.report.panels import difference_panel, rate_panels
from teachwhy.report.sentences import Answer, answer, headline, measure_name
from teachwhy.report.tables import Table
from teachwhy.study.assessed import ASSESSMENT


@dataclass(frozen=True)
class Example:
    """One transcript, with its summary line and its verdict in words."""

    title: str
    facts: tuple[tuple[str, str], ...]
    outcome: str
    transcript: Transcript


@dataclass(frozen=True)
class Detail:
    """One comparison in full; ``open``: it should be read, since no claim is made."""

    title: str
    open: bool
    facts: list[tuple[str, str]]
    gates: Table


@dataclass(frozen=True)
class View:
    """All parts of the page."""

    data: ReportData
    setting: str
    headline: str
    answers: list[Answer]
    panels: list[Panel]
    differences: Panel | None
    measure: str
    rates: list[Table]
    seeds: Table | None
    levels: list[Table]
    comparisons: Table
    details: list[Detail]
    health: Table
    twins: Table | None
    suites: list[Table]
    assessment: Assessment | None
    persona: Table | None
    graders: list[Table]
    distance: Table | None
    doses: Table | None
    examples: list[tuple[str, list[Example]]]
    audits: list[Table]
    sources: Table | None
    firewall: Table | None
    firewall_said: str
    times: Table | None
    costs: list[str]
    caveats: list[str]
    origins: list[tuple[str, str, bool]]
    nodes: Table
    addresses: str


def view(data: ReportData) -> View:
    """Lay out the report."""
    analysis, measure = data.analysis, data.analysis.plan.measure
    other = "own" if measure == "any" else "any"
    return View(
        data=data,
        setting=_setting(data),
        headline=headline(analysis),
        answers=[answer(comparison, analysis) for comparison in analysis.comparisons],
        panels=rate_panels(data),
        differences=difference_panel(analysis) if analysis.comparisons else None,
        measure=measure_name(measure),
        rates=[tables.rates(data, measure), tables.rates(data, other)],
        seeds=tables.by_seed(data),
        levels=level_tables(data),
        comparisons=tables.comparisons(analysis),
        details=[_detail(comparison) for comparison in analysis.comparisons],
        health=tables.health(data),
        twins=tables.twins(data),
        suites=suite_tables([one for one in data.measures if one.suite != ASSESSMENT]),
        assessment=assessment(data),
        persona=persona_table(data),
        graders=grader_tables(data),
        distance=distance_table(data.far),
        doses=run_tables.doses(data),
        examples=_examples(data),
        audits=[run_tables.audit(one) for one in data.audits],
        sources=run_tables.sources(data.sources),
        firewall=run_tables.firewall(data.firewall) if data.firewall and data.firewall.corpora else None,
        firewall_said=_firewall(data),
        times=run_tables.times(data),
        costs=run_tables.costs(data),
        caveats=_caveats(data),
        origins=run_tables.origins(data.manifest),
        nodes=run_tables.nodes(data.manifest),
        addresses=run_tables.addresses(data.manifest),
    )


def _detail(comparison: Comparison) -> Detail:
    title = f"{comparison.effect.treatment} against {comparison.effect.control}"
    return Detail(title, comparison.verdict == "no claim", tables.effect_facts(comparison), tables.gates(comparison))


def _setting(data: ReportData) -> str:
    cells = [cell for cell in data.analysis.cells if cell.eval == "honeypots" and cell.kind == tables.ALL]
    seeds = sorted({one.seed for cell in cells for one in cell.by_seed if one.seed >= 0})
    families = max((tables.of_measure(cell, data.analysis.plan.measure).families for cell in cells), default=0)
    trained = (
        f"training seeds {', '.join(map(str, seeds))}"
        if len(seeds) > 1
        else f"one training seed ({seeds[0]})"
        if seeds
        else "no training"
    )
    return (
        f"{data.manifest.base.name}; {say.counted(len(data.arms), 'arm')}, {trained}; "
        f"{say.counted(len(data.kinds), 'kind')} of honeypot ({', '.join(data.kinds)}), "
        f"{say.counted(families, 'scenario family', 'scenario families')}. "
        f"Primary measure: {measure_name(data.analysis.plan.measure)}."
    )


def _examples(data: ReportData) -> list[tuple[str, list[Example]]]:
    groups = [(arm.name, [_example(one) for one in data.transcripts if one.arm == arm.name]) for arm in data.arms]
    return [(name, found) for name, found in groups if found]


def _example(one: Transcript) -> Example:
    sort = "honeypot" if one.eval == "honeypots" else "benign twin"
    seed = "" if say.seed(one.seed) == say.NONE else f", seed {one.seed}"
    condition = ", ".join(f"{name} {level}" for name, level in one.condition.items())
    facts = (("family", one.family), ("sample", one.sample_id), ("condition", condition or say.NONE))
    return Example(f"{one.kind}, {sort}{seed}: {_outcome(one)}", facts, _verdict(one), one)


def _outcome(one: Transcript) -> str:
    if one.any is None:
        return f"verdict {say.MISSING}"
    act = f" ({one.act})" if one.act else ""
    return f"wrong act{act}" if one.any else "no wrong act"


def _verdict(one: Transcript) -> str:
    states = {True: "yes", False: "no", None: say.MISSING}
    parts = [f"any wrong act: {states[one.any]}", f"the scenario's own: {states[one.own]}"]
    if one.act:
        parts.append(f"act: {one.act}")
    if one.missing:
        parts.append(f"cause: {one.missing}")
    parts += [f"parsable action: {states[one.valid]}", f"cut off: {states[one.truncated]}"]
    if one.eval == "twins":
        parts.append(f"task finished: {states[one.done]}")
    return "; ".join(parts)


def _firewall(data: ReportData) -> str:
    if data.firewall is None:
        return f"The firewall's result is {say.MISSING}."
    if not data.firewall.corpora:
        return "Nothing was taught in this study, so no training text can overlap with what was asked."
    said = {True: "passed", False: "failed", None: "was not judged in full"}[data.firewall.passed]
    rules = "no record names a held-out family, shares ten words in a row with one, or talks of being tested"
    what = f": {rules}" if data.firewall.passed else ""
    aside = "".join(f" The study set '{', '.join(r)}' aside for {c}." for c, r in data.firewall.allowed.items())
    but = ", but where the study allows it" if aside and what else ""
    return f"The firewall between corpora and evaluations {said}{what}{but}.{aside}"


def _caveats(data: ReportData) -> list[str]:
    """By rule, without repeats: on the whole study first, then arm by arm those of the analysis."""
    lines = [*data.caveats]
    before = data.manifest.plan.results_before
    if before:
        lines.append(f"The analysis plan was locked when {before} results were already there.")
    if before is None:
        lines.append("It is not known whether the analysis plan was locked before the first result.")
    lines += [f"The audit of {one.corpus} judged nothing." for one in data.audits if not one.checks]
    if data.firewall is None:
        lines.append("No firewall result is known: training text may overlap with the evaluations.")
    if data.transcripts:
        lines.append("The example transcripts are a few of many and stand for no rate.")
    base = data.manifest.base.name
    how = ", trained as stated," if run_tables.taught(data) else ""
    lines.append(
        f"All of this holds for {base}{how} in these scenarios. Nothing was measured on other models or "
        "in other settings; what a model does in a written scenario need not be what it does elsewhere."
    )
    return list(dict.fromkeys([*lines, *data.analysis.caveats]))
