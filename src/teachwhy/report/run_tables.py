"""The tables of how it was made: doses, audits, times and costs, the manifest."""

from collections.abc import Sequence

from teachwhy.report import numbers as say
from teachwhy.report.data import Arm, Audit, Check, Firewall, Manifest, ReportData, Source
from teachwhy.report.tables import Entry, Row, Table, arm_entry, table
from teachwhy.training.ledger import Ledger


def doses(data: ReportData) -> Table | None:
    """What each arm was taught, one row for each of its own stages; lowest and highest where seeds differ."""
    if not taught(data):
        return None
    counts = ["asked", "given", "tokens read", "passes", "records", "steps", "final loss"]
    rows = [row for arm in data.arms for row in _arm_rows(data, arm)]
    return table(
        "What each arm was taught",
        ["arm", "corpus", *counts, "seeds"],
        rows,
        counts,
        "Asked and given: supervised tokens, counted after rendering. Tokens read include the masked ones. "
        "Loss: nats per supervised token over the last tenth of the steps. "
        "An arm that starts from another was taught that arm's stages before its own.",
    )


def taught(data: ReportData) -> bool:
    """Was any model taught anything in this study?"""
    return any(arm.role != "base" for arm in data.arms)


def _arm_rows(data: ReportData, arm: Arm) -> list[list[Entry]]:
    name = arm_entry(data, arm.name)
    if arm.starts_from:
        name = Entry(name.text, (*name.below, f"starts from {arm.starts_from}"))
    stages = max((len(training.stages) for training in arm.trainings), default=0)
    if not stages:
        what = Entry("not trained" if arm.role == "base" else say.MISSING)
        return [[name, what, *([Entry(say.NONE, tone="quiet")] * 8)]]
    seeds = ", ".join("shared" if one.seed < 0 else str(one.seed) for one in arm.trainings)
    return [
        [name, *_stage([t.stages[at] for t in arm.trainings if at < len(t.stages)]), Entry(seeds)]
        for at in range(stages)
    ]


def _stage(ledgers: Sequence[Ledger]) -> list[Entry]:
    one = ledgers[0]
    used, there, cut, dropped = (
        " ".join(say.spread([getattr(ledger, name) for ledger in ledgers], say.count))
        for name in ("records_used", "records_available", "truncated", "dropped")
    )
    return [
        Entry(one.corpus, (one.form,)),
        Entry("one pass" if one.dose_asked is None else say.count(one.dose_asked)),
        _span(say.spread([ledger.dose_given for ledger in ledgers], say.count)),
        _span(say.spread([ledger.tokens_read for ledger in ledgers], say.count)),
        _span(say.spread([ledger.passes for ledger in ledgers], lambda value: say.decimal(value, 2))),
        Entry(f"{used} of {there}", (f"{cut} truncated", f"{dropped} dropped")),
        _span(say.spread([ledger.steps for ledger in ledgers], say.count)),
        _span(say.spread([ledger.loss_last for ledger in ledgers], lambda value: say.decimal(value, 3))),
    ]


def _span(ends: list[str]) -> Entry:
    return Entry(ends[0], tuple(ends[1:]))


def audit(one: Audit) -> Table:
    """The audit of one corpus."""
    records = say.MISSING if one.records is None else say.counted(one.records, "record")
    failed = sum(check.passed is False for check in one.checks)
    return _checks(f"Audit of {one.corpus}, {records}{f', {failed} failed' if failed else ''}", one.checks)


def sources(made: Sequence[Source]) -> Table | None:
    """How the generated corpora were made; None where there are none."""
    rows: list[Row] = [
        [
            Entry(one.corpus, (f"address {say.short(one.address)}",)),
            Entry(one.recipe, (f"version {one.version}", f"constitution {say.short(one.constitution)}")),
            Entry(", ".join(f"{role}: {model}" for role, model in one.models.items()) or "none: code only"),
            say.count(one.rows),
            say.count(one.dropped),
            Entry(say.count(sum(one.failed.values())), tuple(f"{cause}: {n:,}" for cause, n in one.failed.items())),
            say.count(one.records),
        ]
        for one in made
    ]
    heads = ["rows", "filtered out", "failed", "records"]
    note = "Rows of all stages that were filtered out or failed; a stage may make several rows of one."
    caption = "Corpora that were generated for this study"
    return table(caption, ["corpus", "recipe", "models", *heads], rows, heads, note) if rows else None


def firewall(one: Firewall) -> Table:
    """How near each corpus comes to the held-out families."""
    caption = f"Firewall against {one.against}. Four-word runs that the nearest record shares with one family or text"
    return _checks(caption, one.checks, "corpus")


def _checks(caption: str, checks: Sequence[Check], what: str = "check") -> Table:
    rows: list[Row] = [
        [
            Entry(check.name, (check.note,) if check.note else ()),
            say.measured(check.value),
            say.NONE if check.threshold is None else say.measured(check.threshold),
            verdict(check.passed),
        ]
        for check in checks
    ]
    return table(caption, [what, "value", "threshold", "verdict"], rows, ["value", "threshold"])


def verdict(passed: bool | None) -> Entry:
    """The verdict of a check."""
    if passed is None:
        return Entry("not judged")
    return Entry("passed") if passed else Entry("failed", tone="bad")


def times(data: ReportData) -> Table | None:
    """Time and tokens for each kind of node."""
    if not data.times:
        return None
    rows: list[Row] = [
        [
            Entry(one.kind),
            say.count(one.nodes),
            say.count(one.reused),
            say.duration(one.seconds),
            _tokens(one.tokens),
            _speed(one.tokens, one.seconds),
        ]
        for one in data.times
    ]
    seconds = [one.seconds for one in data.times]
    known = sum(value for value in seconds if value is not None)
    lost = seconds.count(None)
    total = Entry(say.duration(known), (f"without {say.counted(lost, 'kind')} whose time is missing",) if lost else ())
    tokens = sum(one.tokens for one in data.times if one.tokens is not None)
    rows.append(
        [
            Entry("total"),
            say.count(sum(one.nodes for one in data.times)),
            say.count(sum(one.reused for one in data.times)),
            total,
            _tokens(tokens or None),
            say.NONE,
        ]
    )
    heads = ["nodes", "reused", "time", "tokens", "tokens/s"]
    note = "Time spent in nodes, added up; reused nodes came from the store."
    if data.wall_seconds is not None:
        note += f" From start to end: {say.duration(data.wall_seconds)}."
    return table("Time by kind of node", ["kind", *heads], rows, heads, note)


def _tokens(tokens: int | None) -> str:
    return say.NONE if tokens is None else say.count(tokens)


def _speed(tokens: int | None, seconds: float | None) -> str:
    if tokens is None:
        return say.NONE
    return say.MISSING if not seconds else say.decimal(tokens / seconds, 0 if tokens / seconds >= 10 else 1)


def costs(data: ReportData) -> list[str]:
    """What was paid, as sentences."""
    if data.costs is None:
        return ["Costs: missing."]
    if not data.costs:
        return ["No paid service was called."]
    return [
        f"{cost.what}: {f'cost {say.MISSING}' if cost.amount is None else f'{cost.amount:,.2f} {cost.currency}'}."
        for cost in data.costs
    ]


def origins(manifest: Manifest) -> list[tuple[str, str, bool]]:
    """Base model, plan and machine, as name, value, and whether the value is an address."""
    base = manifest.base
    facts = [
        ("base model", f"{base.name} ({base.note})" if base.note else base.name, False),
        ("weights hash", base.weights or say.MISSING, base.weights is not None),
        ("analysis plan hash", manifest.plan.hash, True),
        ("analysis plan locked", locked(manifest.plan.results_before), False),
        ("machine", manifest.machine or say.MISSING, False),
    ]
    return facts + [(f"version of {name}", version, False) for name, version in sorted(manifest.versions.items())]


def locked(results_before: int | None) -> str:
    """When the analysis plan was locked, relative to the results."""
    if results_before is None:
        return f"{say.MISSING}: not known whether before the first result"
    if results_before == 0:
        return "before the first result"
    return f"after {say.counted(results_before, 'result')}"


def nodes(manifest: Manifest) -> Table:
    """The nodes of the plan with the beginnings of their addresses."""
    rows: list[Row] = [
        [
            Entry(node.kind),
            node.name,
            Entry(say.short(node.address), mono=True),
            Entry(" ".join(map(say.short, node.inputs)) or say.NONE, mono=bool(node.inputs)),
            say.duration(node.seconds),
        ]
        for node in manifest.nodes
    ]
    return table("Nodes of the plan", ["kind", "name", "address", "inputs", "time"], rows, ["time"])


def addresses(manifest: Manifest) -> str:
    """Every node with its full address and those of its inputs, as plain text."""
    lines = []
    for node in manifest.nodes:
        lines.append(f"{node.address}  {node.kind}  {node.name}")
        lines += [f"    from {address}" for address in node.inputs]
    return "\n".join(lines)
