"""Generated corpora on the command line: what a recipe will cost, its progress, and what came of it."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from teachwhy.corpora.recipes.build import Job, Made, Progress, StageReport, build, prepare
from teachwhy.corpora.recipes.generators import Meter
from teachwhy.corpora.recipes.recipe import StageEstimate
from teachwhy.corpora.recipes.registry import RECIPES, find_recipe
from teachwhy.corpora.recipes.spec import load_spec
from teachwhy.corpora.stages import StageCount, reasons
from teachwhy.errors import StoreError
from teachwhy.study.declaration import load_study
from teachwhy.study.generating import Wanted, make_corpora, wanted
from teachwhy.study.store import Store

_SECONDS = 10.0  # between lines of progress


def describe_job(path: Path) -> str:
    """What a declared corpus will ask for, stage by stage, and what it will cost; nothing is asked."""
    return _estimate(prepare(load_spec(path)))


def make_corpus(path: Path, out: Path) -> str:
    """Make a declared corpus in a folder; returns what came of every stage.

    Raises:
        StoreError: the folder cannot be written. Others: as ``build``.
    """
    job = prepare(load_spec(path))
    console = Console()
    console.print(_estimate(job), highlight=False, markup=False, soft_wrap=True)
    try:
        made = build(job, out, name=path.stem, progress=_teller(job, console))
    except OSError as error:
        raise StoreError(f"the corpus cannot be written: {error.strerror}", where=out) from error
    return f"{_told(made, job.bench.generators.meter)}\nrecords: {out / 'records.jsonl'}"


def make_missing(study: Path, root: Path) -> None:
    """Make those generated corpora of a study that are not in its store yet."""
    console = Console()

    def announce(corpus: Wanted) -> Progress:
        said = f"{corpus.name} is made first\n{_estimate(corpus.job)}"
        console.print(said, highlight=False, markup=False, soft_wrap=True)
        return _teller(corpus.job, console)

    make_corpora(load_study(study), Store(root / "store"), announce)


def describe_missing(study: Path, root: Path) -> str:
    """The estimates of a study's corpora that are to be made first; empty where all are there."""
    missing = [c for c in wanted(load_study(study), Store(root / "store")) if c.path is None]
    if not missing:
        return ""
    told = [f"{corpus.name} is made first\n{_estimate(corpus.job)}" for corpus in missing]
    return "\n".join([*told, "The steps after it can be planned when its records are there; `teachwhy run` does both."])


def describe_recipes() -> str:
    """All recipes, a line each."""
    lines = [f"{name:22} {recipe.form:10} {recipe.summary}" for name, recipe in sorted(RECIPES.items())]
    return "\n".join([*lines, "`teachwhy corpus recipes NAME` prints a declaration to start from."])


def template(name: str) -> str:
    """A declaration of a recipe to start from, with its stages and options."""
    recipe = find_recipe(name)
    prompts = sorted(set(recipe.prompts) - set(recipe.notes))
    options = [f"#   {key}: {_default(field.default)}" for key, field in recipe.options.model_fields.items()]
    return "\n".join(
        [
            f"# {recipe.summary}",
            f"recipe: {name}",
            "count: 100                      # records before anything is filtered out",
            "seed: 0",
            "constitution: default           # or a Markdown file beside this one (docs/constitution.md)",
            "model_name: the model",
            "developer: its developer",
            "models:",
            "  writer: openai/MODEL          # any Inspect model name; critic and judge are the writer unless named",
            "# skip: []                      # stages to leave out",
            f"# replace: {{}}                   # stage: prompt file; prompts: {', '.join(prompts)}",
            *(["# options:", *options] if options else []),
            "# prices: {writer: {input: 1.0, output: 5.0}}   # dollars for a million tokens",
            "# limits: {tokens: 2M, dollars: 10, failed: 0.1}",
            "# concurrency: 8",
        ]
    )


def _default(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if value is not None else "null"


def _estimate(job: Job) -> str:
    estimates = job.estimates
    lines = [f"  {_line(e)}" for e in estimates]
    spec = job.bench.spec
    head = f"{spec.recipe}: {len(job.rows)} rows, {sum(e.calls for e in estimates):,} calls"
    return "\n".join([f"{head}, {_sum(estimates)}", *lines])


def _line(e: StageEstimate) -> str:
    paid = f", ${e.dollars:,.2f}" if e.dollars is not None else ""
    return f"{e.stage:20} {e.calls:>7,} calls  about {e.tokens_in:>11,} tokens in, {e.tokens_out:>10,} out{paid}"


def _sum(estimates: Sequence[StageEstimate]) -> str:
    tokens = sum(e.tokens_in + e.tokens_out for e in estimates)
    priced = [e.dollars for e in estimates if e.dollars is not None]
    cost = f"about ${sum(priced):,.2f}" if priced else "no prices given, so no cost"
    return f"about {tokens:,} tokens, {cost}"


def _teller(job: Job, console: Console) -> Progress:
    """Prints a line when a stage is finished, and every few seconds: done, failed, tokens, cost, time left."""
    calls = {e.stage: e.calls for e in job.estimates}
    began = said = time.monotonic()

    def tell(count: StageCount, meter: Meter) -> None:
        nonlocal said
        finished = count.waiting == 0
        if not finished and time.monotonic() - said < _SECONDS:
            return
        said = time.monotonic()
        failed = f", {count.failed.total()} failed" if count.failed else ""
        cost = f", ${meter.dollars:,.2f}" if meter.cost else ""
        asked = sum(meter.calls.values())
        left = max(sum(calls.values()) - asked, 0) * (said - began) / asked if asked else 0.0
        console.print(
            f"  {count.stage}: {count.taken - count.waiting} of {count.taken}{failed}; {meter.tokens:,} tokens{cost}; "
            f"about {left / 60:.0f} min left in all",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )

    return tell


def _told(made: Made, meter: Meter) -> str:
    lines = [f"  {_stage(stage)}" for stage in made.stages]
    cost = f", ${meter.dollars:,.2f}" if meter.cost else ""
    asked = f"{sum(meter.calls.values()):,} calls now, {meter.tokens:,} tokens{cost}"
    if earlier := meter.earlier.calls:
        asked += f" ({earlier:,} calls, {meter.earlier.tokens:,} tokens in earlier runs)"
    return "\n".join([f"{made.recipe}: {made.records} records; {asked}", *lines])


def _stage(stage: StageReport) -> str:
    failed = ", ".join(f"{n} {cause}" for cause, n in sorted(stage.failed.items()))
    filtered = f", {stage.dropped} filtered out{reasons(stage.why)}" if stage.dropped else ""
    more = f", {stage.made} made of them" if stage.made != stage.passed else ""
    return f"{stage.stage:20} {stage.taken} in, {stage.passed} passed{more}{filtered}, {failed or 'none'} failed"
