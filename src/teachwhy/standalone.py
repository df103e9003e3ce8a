"""The verbs on their own: measure one model, teach one model, look at one corpus. Each returns what to print."""

import math
from pathlib import Path
from typing import Any

from teachwhy.corpora.audit import audit
from teachwhy.corpora.corpus import Corpus, corpus_names, load_corpus
from teachwhy.corpora.firewall import breaches, held_out
from teachwhy.corpora.records import Record
from teachwhy.errors import TeachwhyError, UserError, nearest
from teachwhy.scenarios.family import KINDS

SUITES = ("honeypots", "twins", "likelihood", *KINDS)


def evaluate(suite: str, model: str, *, split: str, size: str, samples: int, logs: Path) -> str:
    """Measure one model with one suite.

    Raises:
        UserError: unknown suite, split or size.
        ModelError: unknown model.
        TeachwhyError: no sample could be scored.
    """
    from teachwhy.evals.honeypots.likelihood import likelihood_task
    from teachwhy.evals.honeypots.task import honeypot_conditions, honeypot_task
    from teachwhy.models.registry import find_model
    from teachwhy.study.work import run_inspect

    if suite not in SUITES:
        raise UserError(f"unknown suite '{suite}'", mend=nearest(suite, SUITES))
    found = find_model(model)
    kinds = (suite,) if suite in KINDS else KINDS
    conditions = honeypot_conditions(kinds=kinds, split=split, size=size, samples=samples, twin=suite == "twins")
    task = likelihood_task(conditions) if suite == "likelihood" else honeypot_task(conditions, name=suite)
    log, path = run_inspect(task, found.inspect_name, logs, min(len(conditions), 64))
    among = len({condition.family for condition in conditions})
    lines = [f"{suite}, {model}, {split}, {size}: {len(conditions)} samples of {among} families"]
    scored = log.results.scores if log.results else []
    lines += [f"  {score.name:10} {_metrics(score)}" for score in scored]
    lines += _missing(log)
    return "\n".join([*lines, f"log: {path} (`inspect view --log-dir {logs}` reads it)"])


def _metrics(score: Any) -> str:
    shown = {name.rpartition("/")[2]: metric.value for name, metric in score.metrics.items()}
    if score.name in ("own", "any", "done") and not shown.get("scored", 0) > 0:  # Inspect gives NaN for none
        return "n = 0: nothing could be scored" if score.name != "done" else "(only twins have a task to finish)"
    return ", ".join(f"{name} {value:.3g}" for name, value in shown.items() if not math.isnan(value))


def _missing(log: Any) -> list[str]:
    from teachwhy.evals.rows import honeypot_rows

    if log.eval.task == "likelihood":
        return []
    rows = honeypot_rows(log)
    causes: dict[str, int] = {}
    for row in rows:
        if row["missing"]:
            causes[row["missing"]] = causes.get(row["missing"], 0) + 1
    if sum(causes.values()) == len(rows):
        first = next(row["reason"] for row in rows)
        raise TeachwhyError(f"no sample could be scored; the first: {first}", where=log.eval.task)
    return [f"  missing    {', '.join(f'{n} {cause}' for cause, n in sorted(causes.items())) or 'none'}"]


def teach(model: str, corpora: list[str], out: Path, *, seed: int, lora: bool, learning_rate: float | None) -> str:
    """Teach one model the corpora in order (``NAME`` or ``NAME:TOKENS``).

    Raises:
        UserError: a dose is not a number of tokens.
        CorpusError, ModelError, RenderError: as the parts say.
    """
    from rich.console import Console

    from teachwhy.models.registry import find_model, local_folder
    from teachwhy.training.plan import Settings, Stage
    from teachwhy.training.sft import train

    stages = []
    for spec in corpora:
        name, dose = _dose(spec)
        corpus = load_corpus(name)
        stages.append(Stage(corpus=name, form=corpus.form, records=corpus.records, dose=dose))
    rate = {} if learning_rate is None else {"learning_rate": learning_rate}
    settings = Settings(method="lora" if lora else "full", **rate)
    with Console(stderr=True).status("rendering and checking") as status:

        def tick(done: int, of: int, loss: float) -> None:
            status.update(f"{done:,} of {of:,} tokens, loss {loss:.2f}")

        ledgers = train(local_folder(find_model(model)), stages, out, settings, seed, tick)
    told = [
        f"{row.corpus}: {row.dose_given:,} supervised of {row.tokens_read:,} tokens read, {row.records_used} records, "
        f"{row.passes:.2f} passes, loss {row.loss_first:.2f} to {row.loss_last:.2f}"
        for row in ledgers
    ]
    return "\n".join([*told, f"model: {out}"])


def _dose(spec: str) -> tuple[str, int | None]:
    name, colon, dose = spec.rpartition(":")
    if not colon:
        return spec, None
    if not dose.isdigit():
        raise UserError(f"'{dose}' is not a number of supervised tokens", where=spec, mend="write NAME:TOKENS")
    return name, int(dose)


def describe_corpora() -> str:
    """One line a corpus: form, records, words taught, what it is."""
    return "\n".join(_line(load_corpus(name)) for name in corpus_names())


def _line(corpus: Corpus) -> str:
    words = sum(len(record.taught().split()) for record in corpus.records)
    return f"{corpus.name:20} {corpus.form:10} {len(corpus.records):>5} records {words:>7,} words  {corpus.summary}"


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


def audit_corpus(name: str) -> tuple[str, bool]:
    """The audit of a corpus and every breach of the firewall; False if the firewall refuses it."""
    corpus = load_corpus(name)
    result = audit(corpus)
    lines = [f"{name}: {result.records} records, {result.words:,} words taught"]
    words = {True: "pass", False: "FAIL", None: "dealt"}
    for check in result.checks:
        worst = f"  {'; '.join(check.worst[:3])}" if check.worst else ""
        lines.append(
            f"  {words[check.passed]:5} {check.name:22} {check.value:.3f} (threshold {check.threshold}){worst}"
        )
    found = breaches(corpus.records, held_out())
    lines += [f"  FIREWALL {b.record}: {b.rule}: {b.evidence!r}" for b in found]
    lines.append(
        "  firewall: nothing of the held-out families, no talk of tests" if not found else "  firewall: refused"
    )
    return "\n".join(lines), not found
