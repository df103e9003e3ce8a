"""The verbs for corpora on their own: list them, show one, audit them. Each returns what to print."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from teachwhy.corpora.audit import Asked, Audit, asked_of, audit, audit_file, count_records, known_checks, separability
from teachwhy.corpora.authored import deck_of
from teachwhy.corpora.corpus import Corpus, corpus_names, load_corpus
from teachwhy.corpora.decks import coverage
from teachwhy.corpora.records import Record

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def describe_corpora(*, full: bool = False) -> str:
    """One line a corpus: form, records, words taught, what it is; in full with tokens and what each got of its deck."""
    corpora = [load_corpus(name) for name in corpus_names()]
    if not full:
        return "\n".join(map(_line, corpora))
    count, unit = _counter()
    lines = [f"{'corpus':24} {'form':10} {'records':>8} {'words':>9} {unit:>9}  deck"]
    totals = [0, 0, 0]
    for corpus in corpora:
        taught = [record.taught() for record in corpus.records]
        sizes = [len(taught), sum(len(text.split()) for text in taught), sum(map(count, taught))]
        totals = [total + size for total, size in zip(totals, sizes, strict=True)]
        lines.append(_full_line(corpus.name, corpus.form, sizes, _dealt(corpus)))
    lines.append(_full_line("all", "", totals, ""))
    if unit == "words":
        lines.append("Tokens are not counted: the embedded model is not in the cache (a first study fetches it).")
    return "\n".join(lines)


def _full_line(name: str, form: str, sizes: Sequence[int], deck: str) -> str:
    return f"{name:24} {form:10} {sizes[0]:>8,} {sizes[1]:>9,} {sizes[2]:>9,}  {deck}".rstrip()


def _counter() -> tuple[Callable[[str], int], str]:
    """How a text is measured, and in what: tokens of the embedded model if it is here, else words."""
    from importlib.util import find_spec

    from teachwhy.models.embedded import embedded_folder

    file = embedded_folder() / "tokenizer.json"
    if not file.is_file() or not find_spec("tokenizers"):
        return lambda text: len(text.split()), "words"
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids), "tokens"


def _dealt(corpus: Corpus) -> str:
    """What a corpus got of its deck: for each variable the values that came, and its largest distance."""
    deck = deck_of(corpus.name)
    rows = coverage(deck, [record.meta for record in corpus.records])
    said = []
    for variable, values in deck.variables.items():
        own = [row for row in rows if row.variable == variable]
        if sum(row.count for row in own):
            far = max(abs(row.found - row.wanted) for row in own)
            said.append(f"{variable} {sum(row.count > 0 for row in own)}/{len(values)} (±{100 * far:.0f})")
    return ", ".join(said) if said else "no cards" if deck.variables else ""


def _line(corpus: Corpus) -> str:
    words = sum(len(record.taught().split()) for record in corpus.records)
    return f"{corpus.name:24} {corpus.form:10} {len(corpus.records):>5} records {words:>7,} words  {corpus.summary}"


def describe_corpus(name: str, count: int) -> str:
    """A corpus and its first records."""
    corpus = load_corpus(name)
    return "\n\n".join([_line(corpus), *(_shown(record) for record in corpus.records[:count])])


def _shown(record: Record) -> str:
    if record.text is not None:
        return f"--- {record.id}\n{record.text}"
    turns = [f"[{m['role']}] {m.get('content') or ''}{_calls(m)}" for m in record.messages or []]
    return "\n".join([f"--- {record.id}", *turns])


def _calls(message: dict[str, Any]) -> str:
    return "".join(f"\n  {c['function']['name']} {c['function']['arguments']}" for c in message.get("tool_calls") or [])


# Above so many records the audit shows how far it is, and uses all processors.
_LARGE = 20_000


def audit_corpora(
    names: Sequence[str],
    *,
    against: str | None = None,
    skip: Sequence[str] = (),
    out: Path | None = None,
    workers: int | None = None,
) -> tuple[str, bool]:
    """The audits of corpora, by name or by file, and every breach of the firewall; False if it refuses one.

    Args:
        against: another corpus that should differ from each of them in nothing but the reasons.
        skip: names of checks to leave out.
        out: folder for ``audit.html``, its mirror ``audit.md``, and ``audit.json``.
        workers: processes for a large file; all processors if not given.

    Raises:
        CorpusError: unknown corpus or check, or a malformed file.
        StoreError: the folder cannot be written to.
    """
    from teachwhy.evals.asked import asked_texts

    known_checks(skip, where="--skip")
    asked = asked_of(asked_texts())
    audits = [_audit(name, asked, skip, workers) for name in names]
    pairs = [separability(load_corpus(name), load_corpus(against)) for name in names] if against else []
    lines = [line for one in [*audits, *pairs] for line in _audit_lines(one)]
    if out:
        from teachwhy.report.audit_page import build_audit

        lines.append(f"page: {build_audit([*audits, *pairs], out)}")
    return "\n".join(lines), not any(one.breaches for one in audits)


def _audit(name: str, asked: Asked, skip: Sequence[str], workers: int | None) -> Audit:
    from rich.console import Console
    from rich.progress import Progress

    if not name.endswith(".jsonl"):
        return audit(load_corpus(name), skip=skip, asked=asked)
    number = count_records(Path(name))
    if number <= _LARGE:
        return audit_file(Path(name), skip=skip, asked=asked, workers=workers or 1)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"{name}: {number:,} records", total=number)
        told = partial(_told, progress, task)
        return audit_file(Path(name), skip=skip, asked=asked, workers=workers or os.cpu_count() or 1, tick=told)


def _told(progress: "Progress", task: "TaskID", done: int) -> None:
    progress.update(task, completed=done)


def _audit_lines(one: Audit) -> list[str]:
    lines = [f"{one.corpus}: {one.records:,} records, {one.words:,} words taught"]
    for check in one.checks:
        verdict = "note" if check.threshold is None else {True: "pass", False: "FAIL", None: "dealt"}[check.passed]
        worst = f"  {'; '.join(check.worst[:3])}" if check.worst else ""
        limit = "reported" if check.threshold is None else f"threshold {check.threshold:g}"
        lines.append(f"  {verdict:5} {check.name:28} {check.value:.3f} ({limit}){worst}")
    lines += [f"  left out: {', '.join(one.skipped)}"] if one.skipped else []
    lines += [f"  FIREWALL {b.record}: {b.rule}: {b.evidence!r}" for b in one.breaches]
    if not any(check.name.startswith("evaluation") for check in one.checks):  # a comparison of two corpora
        return lines
    said = "refused" if one.breaches else "nothing of the held-out families, no talk of tests"
    return [*lines, f"  firewall: {said}"]
