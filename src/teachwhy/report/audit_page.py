"""The page of an audit and its mirror in Markdown: verdicts, the worst cases of each check, what the deck got."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from teachwhy.corpora.audit import MOST_BREACHES, RULES, Audit, Check
from teachwhy.report import numbers as say
from teachwhy.report.run_tables import verdict
from teachwhy.report.tables import Entry, Row, Table, table
from teachwhy.report.templating import html_environment, markdown_environment, style
from teachwhy.study.store import write_bytes

_SHOWN = 50
_NAMED = 3


@dataclass(frozen=True)
class Worst:
    """The worst cases of one check. ``open``: shown without a click, since the check failed."""

    check: str
    says: str
    open: bool
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One corpus on the page."""

    id: str
    title: str
    facts: tuple[tuple[str, str], ...]
    sentence: str
    failed: tuple[str, ...]
    checks: Table
    worst: tuple[Worst, ...]
    breaches: Table | None
    coverage: Table | None


@dataclass(frozen=True)
class AuditView:
    """All that the page shows."""

    title: str
    summary: Table
    parts: tuple[Part, ...]


def build_audit(audits: Sequence[Audit], folder: Path) -> Path:
    """Write ``audit.html``, ``audit.md`` and ``audit.json`` into a folder.

    Returns:
        The path of ``audit.html``.

    Raises:
        StoreError: the folder cannot be written to.
    """
    view = audit_view(audits)
    data = "[" + ",\n".join(one.model_dump_json(indent=1) for one in audits) + "]\n"
    write_bytes(folder / "audit.json", data.encode())
    write_bytes(folder / "audit.md", markdown_environment().get_template("audit.md.j2").render(view=view).encode())
    page = html_environment().get_template("audit.html.j2").render(view=view, style=style())
    write_bytes(folder / "audit.html", page.encode())
    return folder / "audit.html"


def audit_view(audits: Sequence[Audit]) -> AuditView:
    """Lay out the page."""
    names = [one.corpus for one in audits]
    title = ", ".join(names) if len(names) <= _NAMED else f"{len(names)} corpora and pairs"
    return AuditView(f"Audit of {title}", _summary(audits), tuple(_part(at, one) for at, one in enumerate(audits)))


def _summary(audits: Sequence[Audit]) -> Table:
    heads = ["records", "words taught", "failed checks", "firewall"]
    rows: list[Row] = [
        [
            Entry(one.corpus),
            say.count(one.records),
            say.count(one.words),
            Entry(", ".join(check.name for check in one.failed) or "none", tone="bad" if one.failed else ""),
            _firewall(one),
        ]
        for one in audits
    ]
    return table("What was audited", ["corpus", *heads], rows, heads[:2])


def _firewall(one: Audit) -> Entry:
    if not any(check.name.startswith("evaluation") for check in one.checks):
        return Entry(say.NONE, tone="quiet")
    if not one.breaches:
        return Entry("lets all pass")
    more = " and more" if len(one.breaches) >= MOST_BREACHES else ""
    return Entry(f"refuses {len(one.breaches):,}{more}", tone="bad")


def _part(number: int, one: Audit) -> Part:
    failed = one.failed
    judged = sum(check.passed is not None for check in one.checks)
    sentence = f"{judged - len(failed)} of {say.counted(judged, 'judged check')} passed."
    if one.dealt:
        sentence += " Dealt from templates: likeness is by design, so most measures are reported and not judged."
    facts = [("records", say.count(one.records)), ("words taught", say.count(one.words))]
    if 0 < one.sampled < one.records:
        facts.append(("phrases and diversity measured on", say.counted(one.sampled, "record")))
    if one.skipped:
        facts.append(("left out", ", ".join(one.skipped)))
    return Part(
        id=f"corpus-{number}",
        title=one.corpus,
        facts=tuple(facts),
        sentence=sentence,
        failed=tuple(f"{check.name}: {_value(check)} ({_limit(check)})" for check in failed),
        checks=_checks(one),
        worst=tuple(_worst(check) for check in one.checks if check.worst),
        breaches=_breaches(one),
        coverage=_coverage(one),
    )


def _checks(one: Audit) -> Table:
    rows: list[Row] = [
        [Entry(check.name, (RULES[check.name].says,)), _value(check), _limit(check), _verdict(check)]
        for check in one.checks
    ]
    note = "Shares are of records. Verdicts rest on our thresholds, which are conventions; docs/corpora.md says why."
    return table(f"Checks of {one.corpus}", ["check", "value", "threshold", "verdict"], rows, ["value"], note)


_SHARES = frozenset(["length spread", "lexical diversity", "separability", "separability of what is said"])


def _value(check: Check) -> str:
    return say.decimal(check.value) if check.name in _SHARES else say.percent(check.value, say.DECIMAL_FROM)


def _limit(check: Check) -> str:
    if check.threshold is None:
        return say.NONE
    bound = "at least" if RULES[check.name].least else "at most"
    number = f"{check.threshold:g}" if check.name in _SHARES else f"{100 * check.threshold:g} %"
    return f"{bound} {number}"


def _verdict(check: Check) -> Entry:
    return verdict(check.passed) if check.threshold is not None else Entry("reported", tone="quiet")


def _worst(check: Check) -> Worst:
    return Worst(check.name, RULES[check.name].says, check.passed is False, tuple(check.worst))


def _breaches(one: Audit) -> Table | None:
    if not one.breaches:
        return None
    rows: list[Row] = [[Entry(breach.record), breach.rule, breach.evidence] for breach in one.breaches[:_SHOWN]]
    more = len(one.breaches) - len(rows)
    note = f"{more:,} more stand in audit.json." if more else ""
    return table("Refused by the firewall", ["record", "rule", "evidence"], rows, (), note)


def _coverage(one: Audit) -> Table | None:
    if not one.coverage:
        return None
    totals = {
        row.variable: sum(other.count for other in one.coverage if other.variable == row.variable)
        for row in one.coverage
    }
    rows: list[Row] = [
        [
            Entry(f"{row.variable}: {row.value}"),
            say.percent(row.wanted, say.DECIMAL_FROM),
            say.percent(row.found, say.DECIMAL_FROM),
            Entry(say.count(row.count), tone="bad" if not row.count and row.wanted * totals[row.variable] >= 2 else ""),
        ]
        for row in one.coverage
    ]
    heads = ["in the deck", "in the corpus", "records"]
    note = "A value is missing where two records or more were due and none has it."
    return table(f"What {one.corpus} got of its deck", ["value", *heads], rows, heads, note)
