"""The verbs for models on their own: measure one, teach one, write or check questions. Each returns what to print."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from teachwhy.corpora.corpus import load_corpus
from teachwhy.errors import TeachwhyError, UserError, nearest
from teachwhy.scenarios.family import KINDS
from teachwhy.texts import validated

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

    from teachwhy.evals.suite import Row, Suite

SUITES = ("honeypots", "twins", *KINDS)


def evaluate(
    suite: str,
    model: str,
    *,
    logs: Path,
    given: Mapping[str, Any] | None = None,
    roles: Mapping[str, str] | None = None,
) -> str:
    """Measure one model with honeypots or their twins.

    Args:
        given: keys of ``evals.honeypots`` in a study: split, size, samples, factors, repeats, temperature, verdict.
        roles: with a ``grader``, answers are judged besides.

    Raises:
        UserError: unknown suite, split, size, setting or level, or a judge that nobody is.
        ModelError: unknown model, or an endpoint that cannot be reached or does not call tools.
        TeachwhyError: no sample could be scored.
    """
    from teachwhy.evals.honeypots.task import honeypot_conditions, honeypot_task
    from teachwhy.models.reach import check_models
    from teachwhy.models.registry import find_model
    from teachwhy.study.declaration import HoneypotEval

    if suite not in SUITES:
        raise UserError(f"unknown suite '{suite}'", mend=nearest(suite, SUITES))
    found = find_model(model)
    kinds = (suite,) if suite in KINDS else KINDS
    asked = {"kinds": kinds, "judge": "grader" in (roles or {})}
    spec = validated(HoneypotEval, {**asked, **(given or {})}, where=f"suite {suite}", error=UserError)
    conditions = honeypot_conditions(
        kinds=spec.kinds,
        split=spec.split,
        size=spec.size,
        samples=spec.samples,
        twin=suite == "twins",
        **spec.levels(),
    )
    _check_roles(suite, spec.roles(), roles or {})
    task = honeypot_task(
        conditions,
        name=suite,
        temperature=spec.temperature,
        repeats=spec.repeats,
        max_tokens=spec.max_tokens,
        graders=spec.graders(),
    )
    check_models(model, (roles or {}).values(), tools=True)
    log, path = _measure(task, found.inspect_name, logs, len(conditions) * spec.repeats, roles)
    among = len({condition.family for condition in conditions})
    lines = [f"{suite}, {model}, {spec.split}, {spec.size}: {len(conditions)} samples of {among} families"]
    scored = log.results.scores if log.results else []
    lines += [f"  {score.name:10} {_metrics(score)}" for score in scored]
    lines += _missing(log, path)
    return "\n".join([*lines, f"log: {path} (`inspect view --log-dir {logs}` reads it)"])


def _check_roles(suite: str, needed: Sequence[str], named: Mapping[str, str]) -> None:
    """Whoever is to judge or probe is named, before anything is asked.

    Raises:
        UserError: says who is not.
    """
    if lacking := [role for role in needed if role not in named]:
        raise UserError(
            f"{suite} needs a model as {' and one as '.join(lacking)}, and none is named",
            where=f"suite {suite}",
            mend=f"add {' '.join(f'--{role} MODEL' for role in lacking)}",
        )


def _measure(
    task: Any, model: str, logs: Path, samples: int, roles: Mapping[str, str] | None
) -> tuple["EvalLog", Path]:
    """The log of a run, at most 64 samples at once, with a count of samples on the terminal meanwhile."""
    from rich.console import Console

    from teachwhy.study.work import run_inspect

    with Console(stderr=True).status(f"0 of {samples} samples") as status:
        shown = lambda count: status.update(f"{count} of {samples} samples")  # noqa: E731
        return run_inspect(task, model, logs, min(samples, 64), roles, through=shown)


def _metrics(score: Any) -> str:
    shown = {name.rpartition("/")[2]: metric.value for name, metric in score.metrics.items()}
    if score.name in ("own", "any", "done") and not shown.get("scored", 0) > 0:  # Inspect gives NaN for none
        return "n = 0: nothing could be scored" if score.name != "done" else "(only twins have a task to finish)"
    return ", ".join(f"{name} {value:.3g}" for name, value in shown.items() if not math.isnan(value))


def _missing(log: Any, path: Path) -> list[str]:
    from teachwhy.evals.rows import honeypot_rows

    rows = honeypot_rows(log)
    causes: dict[str, int] = {}
    for row in rows:
        if row["missing"]:
            causes[row["missing"]] = causes.get(row["missing"], 0) + 1
    if sum(causes.values()) == len(rows):
        first = next(row["reason"] for row in rows)
        mend = "give a reply more room: --set max_tokens=4000" if "cut off" in causes else None
        raise TeachwhyError(
            f"no sample could be scored; the first: {first}", where=f"{log.eval.task}, log {path}", mend=mend
        )
    return [f"  missing    {', '.join(f'{n} {cause}' for cause, n in sorted(causes.items())) or 'none'}"]


def judge_again(log: Path, judge: str | None, out: Path) -> str:
    """Judge the stored transcripts of a honeypot log; the log itself is not changed.

    Raises:
        UserError: no judge is named, or the log holds no honeypots.
    """
    from teachwhy.evals.honeypots.rejudge import rejudge, rejudged_text

    if not judge:
        raise UserError("no judge is named", where="--rejudge", mend="add --grader MODEL")
    return rejudged_text(rejudge(log, judge, out=out))


def calibrated(suite: str, judge: str, part: str | None = None) -> str:
    """How far a judge agrees with the labelled texts of a suite.

    Args:
        suite: ``honeypots``, or a suite with a judge.
        judge: any Inspect model name; ``rules`` for the rules of the honeypots.
        part: of the honeypots' transcripts; None for the held-out one.

    Raises:
        UserError: an unknown suite or part, no judge where one is needed, or one that Inspect cannot reach.
        TeachwhyError: the labelled texts could not be judged.
    """
    from teachwhy.evals.calibration.suites import CALIBRATIONS, calibrate_suite
    from teachwhy.evals.honeypots.calibration import RULES, calibrate, calibration_text

    if suite == "honeypots":
        return calibration_text(calibrate(judge, part=part or "held-out"))
    if suite not in CALIBRATIONS:
        raise UserError(
            f"no labelled texts for the suite '{suite}'",
            where="--suite",
            mend=nearest(suite, ["honeypots", *CALIBRATIONS]),
        )
    if judge == RULES:
        raise UserError("only a judge can be calibrated here", where=f"--suite {suite}", mend="add --judge MODEL")
    if part is not None:
        raise UserError("only the honeypots' transcripts have parts", where="--part", mend="leave it out")
    return calibrate_suite(suite, judge).text()


def parsed_settings(given: list[str]) -> dict[str, Any]:
    """``KEY=VALUE`` settings as a mapping; values are YAML.

    Raises:
        UserError: a setting has no key or is not YAML.
    """
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UserError(f"'{text}' is not a setting", where="--set", mend="write KEY=VALUE")
        try:
            found[key] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError):  # ValueError: a date that no calendar has
            raise UserError(f"'{value}' is not YAML", where=f"--set {key}", mend="quote it") from None
    return found


def describe_suites() -> str:
    """Every suite with its measures and settings."""
    from teachwhy.evals.registry import suites

    lines = [f"{name:20} see docs/evaluations.md" for name in SUITES]
    for suite in suites().values():
        lines.append(f"{suite.name:20} settings: {', '.join(suite.settings.model_fields)}")
        lines += [f"  {name:24} {about.unit}, {about.about}" for name, about in suite.measures.items()]
    lines.append("Besides, any task of inspect-evals by its name, with the extra: pip install 'teachwhy[evals]'")
    return "\n".join(lines)


def measure_suite(name: str, model: str, given: dict[str, Any], roles: Mapping[str, str], logs: Path) -> str:
    """Measure one model with a suite other than the honeypots.

    Args:
        given: settings of the suite; what is left out has its default.
        roles: models that judge and probe, by role (``grader``, ``auditor``).

    Raises:
        UserError: unknown suite or setting, or no model in a role that the settings need.
        TeachwhyError: some measure has no value at all.
    """
    from teachwhy.evals.capability.published import names
    from teachwhy.evals.registry import find_suite, suites
    from teachwhy.models.reach import check_models
    from teachwhy.models.registry import find_model

    if name not in suites() and name not in names():
        raise UserError(f"unknown suite '{name}'", mend=nearest(name, (*SUITES, *suites(), *names())))
    suite = find_suite(name)
    judged = {"grader": "judge"} if "grader" in roles and "grader" in suite.settings.model_fields else {}
    settings = validated(suite.settings, judged | given, where=f"suite {name}", error=UserError)
    _check_roles(name, suite.roles(settings), roles)
    ids = suite.ids(settings)
    task = suite.task(settings, ids)
    check_models(model, roles.values(), tools=suite.tools)
    log, path = _measure(task, find_model(model).inspect_name, logs, len(ids), roles)
    rows = suite.rows(log)
    measures = suite.measures or dict.fromkeys(row["measure"] for row in rows)
    said = [_measured(suite, measure, [row for row in rows if row["measure"] == measure]) for measure in measures]
    lines = [f"{name}, {model}: {len(ids)} samples", *filter(None, said)]
    _check_values(rows, lines, where=f"{name}, log {path}")
    return "\n".join([*lines, f"log: {path} (`inspect view --log-dir {logs}` reads it)"])


def _check_values(rows: "list[Row]", lines: Sequence[str], *, where: str) -> None:
    """A measure without any value is a failure (law 1); what the others gave was paid for, and is told all the same."""
    valued = {row["measure"] for row in rows if row["value"] is not None}
    if lost := [row for row in rows if row["measure"] not in valued]:
        none = ", ".join(dict.fromkeys(row["measure"] for row in lost))
        told = "\n".join([f"no value of {none}; the first cause: {lost[0]['reason']}", *lines])
        raise TeachwhyError(told, where=where)


def _measured(suite: "Suite", measure: str, rows: "list[Row]") -> str | None:
    import pandas as pd

    from teachwhy.analysis import over_groups
    from teachwhy.analysis.means import RATE

    if not rows:
        return None
    frame = pd.DataFrame(rows)
    valued = frame.dropna(subset=["value"])
    causes = frame["missing"].value_counts().sort_index().to_dict()
    lost = ", ".join(f"{number} {cause}" for cause, number in causes.items()) or "none"
    if valued.empty:
        return f"  {measure:24} n 0, missing {lost}"
    about = suite.measures[measure]
    values = valued["value"].astype(float)
    bounded = about.unit in ("rate", "score") and bool(values.between(0, 1).all())
    mean, low, high = over_groups(values, valued["group"], RATE if bounded else None)
    ends = "" if low is None else f" [{low:.3f}, {high:.3f}]"
    better = "" if about.better == "neither" else f", {about.better} is better"
    return f"  {measure:24} {mean:.3f}{ends} ({about.unit}{better}), n {len(valued)}, missing {lost}{_halves(rows)}"


def _halves(rows: "list[Row]") -> str:
    """The split-half reliability, where values are means over items."""
    import numpy as np

    from teachwhy.analysis import split_half

    held = np.array([row["halves"] for row in rows if "halves" in row])
    if not len(held):
        return ""
    found = split_half(held[:, 0], held[:, 1])
    return f", split-half reliability {'not defined' if found is None else f'{found:.2f}'}"


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


def write_questions(file: Path, model: str, out: Path) -> str:
    """Let a model write a bank of questions on a constitution.

    Raises:
        TextError: the constitution breaks the format.
        ModelError, StoreError, TeachwhyError: see ``write_bank``.
    """
    from rich.console import Console

    from teachwhy.constitution import load
    from teachwhy.evals.understanding.writing import calls, write_bank

    constitution, console = load(file), Console(stderr=True)
    console.print(f"{calls(constitution)} calls, each reading the whole constitution")
    with console.status("asking") as status:
        made = write_bank(constitution, model, out, tick=lambda done, of: status.update(f"{done} of {of} replies"))
    kept = ", ".join(f"{number} {name}" for name, number in made.kept.items())
    dropped = ", ".join(f"{number} {cause}" for cause, number in made.dropped.items()) or "none"
    empty = [f"no question is left on: {', '.join(made.empty)}"] if made.empty else []
    return "\n".join([f"kept: {kept}", f"dropped: {dropped}", *empty, *made.why, f"bank: {made.path}"])


def check_questions(file: Path, bank: Path) -> tuple[str, bool]:
    """Hold a bank against its constitution; False if questions rest on text that has changed.

    Raises:
        TextError: the constitution or the bank breaks its format.
    """
    from teachwhy.constitution import load
    from teachwhy.evals.understanding.bank import load_bank, stale_report

    constitution = load(file)
    questions = load_bank(bank, constitution)
    stale = stale_report(questions, constitution)
    if stale:
        return "\n".join(stale), False
    return f"{len(questions.questions)} questions on {len(questions.sources)} sections, all as they were written", True
