"""From a finished study to the data of its report."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import teachwhy.corpora.audit as corpora_audit
from teachwhy.analysis import Interval
from teachwhy.corpora.firewall import SIMILAR, Screened
from teachwhy.corpora.recipes.build import Made
from teachwhy.report.data import (
    Action,
    Arm,
    Audit,
    BaseWeights,
    Check,
    Cost,
    Far,
    Firewall,
    Manifest,
    Measure,
    Node,
    PlanLock,
    ReportData,
    Source,
    Spent,
    Training,
    Transcript,
    Turn,
)
from teachwhy.scenarios.family import families
from teachwhy.scenarios.scenario import Condition, Scenario
from teachwhy.study.declaration import BASE, ORGANISM, Lesson, Study
from teachwhy.study.plan import StudyPlan
from teachwhy.study.results import Measured, ledgers, sample_rows
from teachwhy.study.run import Finished, endpoints, manifest
from teachwhy.study.store import Store

_KINDS = {
    "train": "teaching",
    "eval": "honeypots and twins",
    "suite": "other suites",
}


def gather(done: Finished) -> ReportData:
    """Everything that the page shows."""
    study, made = done.plan.study, manifest(done.plan, done.store, done.lock)
    return ReportData(
        study=study.study,
        question=study.question or _question(study),
        arms=tuple(_arms(done.plan, done.store)),
        analysis=done.analysis,
        measures=tuple(_measure(row, done) for row in done.measured),
        beside=done.beside,
        assessed=done.assessed,
        far=tuple(Far(**row.model_dump()) for row in done.far),
        audits=tuple(map(_audit, [*done.vetted.audits, *done.vetted.pairs])),
        sources=tuple(_source(name, made) for name, made in done.plan.generated.items()),
        firewall=_firewall(done),
        transcripts=tuple(_transcripts(done)),
        times=tuple(_times(made["nodes"])),
        wall_seconds=None,
        costs=(*_costs(done.plan.generated), *_asked(made["nodes"], endpoints(study))),
        caveats=tuple(_caveats(done)),
        manifest=_manifest(made, done.plan),
    )


def _question(study: Study) -> str:
    if not study.arms:
        return "How does the model act under threat?"
    return "What do these ways of teaching change in how the model acts under threat?"


def _arms(plan: StudyPlan, store: Store) -> Iterable[Arm]:
    study, taught = plan.study, ledgers(plan, store)
    start = ORGANISM if study.organism else BASE
    yield Arm(name=BASE, role="base", about=study.base)
    if study.organism:
        yield _arm(ORGANISM, "organism", study.organism, BASE, taught)
    for name, lessons in study.arms.items():
        yield _arm(name, "arm", lessons, start, taught)


def _arm(name: str, role: Any, lessons: tuple[Lesson, ...], start: str, taught: dict[tuple[str, int], Any]) -> Arm:
    trainings = [Training(seed=seed, stages=tuple(stages)) for (arm, seed), stages in taught.items() if arm == name]
    about = ", then ".join(lesson.corpus for lesson in lessons)
    return Arm(name=name, role=role, about=about, starts_from=start, trainings=tuple(trainings))


def _measure(row: Measured, done: Finished) -> Measure:
    start = ORGANISM if done.plan.study.organism else BASE
    return Measure(
        suite=row.suite,
        measure=row.measure,
        unit=row.unit,
        better=row.better,
        arm=row.arm,
        samples=row.samples,
        causes=row.causes,
        mean=row.mean,
        interval=_interval(row.low, row.high),
        against=None if row.arm in (BASE, start) else start,
        shift=row.shift,
        shift_interval=_interval(row.shift_low, row.shift_high),
        reliability=row.reliability,
    )


def _interval(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else Interval(low=low, high=high)


def _audit(audit: corpora_audit.Audit) -> Audit:
    checks = [
        Check(
            name=check.name,
            value=round(check.value, 4),
            threshold=check.threshold,
            passed=check.passed,
            note="; ".join([*_unjudged(check, audit.dealt), *check.worst[:3]]),
        )
        for check in audit.checks
    ]
    return Audit(corpus=audit.corpus, records=audit.records, checks=tuple(checks))


def _unjudged(check: corpora_audit.Check, dealt: bool) -> list[str]:
    if check.passed is not None:
        return []
    return ["dealt from templates: reported, not judged" if dealt and check.threshold is not None else "reported only"]


def _costs(generated: Mapping[str, Made]) -> Iterable[Cost]:
    """What the generated corpora took in all runs of their builds; missing where a price is not known."""
    for name, made in generated.items():
        if made.spent.calls:
            what = f"writing {name} ({made.spent.calls:,} replies, {made.spent.tokens:,} tokens)"
            yield Cost(what=what, amount=None if made.spent.unpriced else made.spent.dollars, currency="US dollars")


def _asked(nodes: list[dict[str, Any]], names: set[str]) -> Iterable[Cost]:
    """What was put to endpoints while measuring: tokens are known (but for older results), prices are not."""
    read, wrote = Counter[str](), Counter[str]()
    for node in nodes:
        for name, usage in node["usage"].items():
            read[name] += usage["read"]
            wrote[name] += usage["wrote"]
    for name in sorted(names):
        tokens = f"{read[name]:,} tokens read, {wrote[name]:,} written" if name in read else "tokens not kept"
        yield Cost(what=f"measuring with {name} ({tokens})", amount=None, currency="")


def _source(name: str, made: Made) -> Source:
    failed: Counter[str] = Counter()
    for stage in made.stages:
        failed.update(stage.failed)
    return Source(
        corpus=name,
        recipe=made.recipe,
        version=made.version,
        models=made.asked,
        constitution=made.constitution,
        rows=made.stages[0].taken,
        records=made.records,
        dropped=sum(stage.dropped for stage in made.stages),
        failed=dict(failed),
        address=made.address,
    )


def _firewall(done: Finished) -> Firewall:
    held = families(split="held-out")
    return Firewall(
        corpora=tuple(done.plan.corpora),
        against=f"{len(held)} held-out families: {', '.join(f.id for f in held)}",
        checks=tuple(_screened(one) for one in done.vetted.screened),
        allowed={one.corpus: one.allowed for one in done.vetted.screened if one.allowed},
    )


def _screened(one: Screened) -> Check:
    nearest = f"{one.record} and {one.family}: {'; '.join(one.runs)}" if one.shared else ""
    passed = one.shared < SIMILAR
    return Check(name=one.corpus, value=one.shared, threshold=SIMILAR - 1, passed=passed, note=nearest)


def _transcripts(done: Finished) -> Iterable[Transcript]:
    """For each arm at its first seed: the first wrong act, the first sample without one, and one twin."""
    seen: set[tuple[str, str]] = set()
    first = {BASE: -1, ORGANISM: -1}
    for row in sample_rows(done.plan, done.store, "eval"):
        if row["seed"] != first.get(row["arm"], done.plan.study.seeds[0]):
            continue
        sort = row["eval"] if row["eval"] == "twins" else f"wrong {row['any']}"
        if (row["arm"], sort) not in seen:
            seen.add((row["arm"], sort))
            yield _transcript(row)


_FACTORS = ("size", "threat", "conflict", "wording", "persona")


def _transcript(row: dict[str, Any]) -> Transcript:
    scenario = Scenario(Condition(**{key: row[key] for key in Condition.__dataclass_fields__}))
    kept = ("arm", "seed", "eval", "kind", "family", "sample_id", "own", "any", "act", "missing", "valid")
    return Transcript(
        **{key: row[key] for key in (*kept, "truncated", "done", "reason", "evidence")},
        condition={key: str(row[key]) for key in _FACTORS},
        prompt=tuple(Turn(role=m["role"], text=m["content"]) for m in scenario.messages()),
        reply=(Turn(role="assistant", text=row["reply"]),),
        actions=tuple(Action(tool=a["tool"], arguments=a["arguments"]) for a in row["actions"]),
    )


def _times(nodes: list[dict[str, Any]]) -> Iterable[Spent]:
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for node in nodes:
        kinds[node["kind"]].append(node)
    for kind, found in kinds.items():
        tokens = [node["tokens"] for node in found if node["tokens"]]
        seconds = sum(node["seconds"] or 0.0 for node in found)
        yield Spent(kind=_KINDS[kind], nodes=len(found), seconds=seconds, tokens=sum(tokens) if tokens else None)


def _caveats(done: Finished) -> Iterable[str]:
    if done.plan.study.organism:
        yield (
            "The organism was made once; seeds vary how the arms were taught. What holds for this organism may not "
            "hold for another."
        )
    for one in done.vetted.screened:
        if one.allowed:
            yield (
                f"The study sets the firewall's rule '{', '.join(one.allowed)}' aside for {one.corpus}, and {one.talk} "
                f"of its {one.records} records do talk of tests: what its arm shows may come of knowing the tests."
            )
    for audit in [*done.vetted.audits, *done.vetted.pairs]:
        for check in audit.failed:
            worst = f" ({check.worst[0]})" if check.worst else ""
            measured = f"{check.value:.3g}, threshold {check.threshold}{worst}"
            yield f"The audit of {audit.corpus} fails '{check.name}': {measured}."
    if done.lock.results_before:
        yield f"The analysis plan was locked when {done.lock.results_before} results were already there."


def _manifest(made: dict[str, Any], plan: StudyPlan) -> Manifest:
    known = {"weights": made["base"]["weights"]} if plan.base.local else {"note": "known by its name alone"}
    return Manifest(
        base=BaseWeights(name=made["base"]["name"], **known),
        plan=PlanLock(hash=made["analysis_plan"]["hash"], results_before=made["analysis_plan"]["results_before"]),
        nodes=tuple(
            Node(kind=n["kind"], name=n["name"], address=n["address"], inputs=tuple(n["inputs"]), seconds=n["seconds"])
            for n in made["nodes"]
        ),
        versions=made["versions"],
        machine=made["machine"],
    )
