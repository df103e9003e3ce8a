"""Building a generated corpus: estimate, stages, counts that add up, and a folder that says how it was made."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inspect_ai.model import GenerateConfig, Model
from pydantic import BaseModel, ConfigDict, ValidationError

from teachwhy.constitution import Constitution, load
from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.publish import Card, canary, publish
from teachwhy.corpora.recipes.generators import Generators, Meter, check_names
from teachwhy.corpora.recipes.prompt import ROLES, Role
from teachwhy.corpora.recipes.recipe import Bench, StageEstimate, Step, estimate, stages_of, steps_of
from teachwhy.corpora.recipes.registry import find_recipe
from teachwhy.corpora.recipes.spec import Spec
from teachwhy.corpora.records import Record, records_digest
from teachwhy.corpora.stages import Row, StageCount, Usage, reasons, run_stages, spent_in
from teachwhy.errors import CorpusError, TeachwhyError
from teachwhy.hashing import digest
from teachwhy.models.reach import check_models
from teachwhy.texts import read_utf8

Progress = Callable[[StageCount, Meter], None]


@dataclass(frozen=True)
class Job:
    """A declared corpus, checked, before anything is asked."""

    bench: Bench
    rows: list[Row]
    steps: list[Step]

    @property
    def address(self) -> str:
        """Hash of all that decides the corpus: rows, steps with their prompts and models, recipe and options."""
        recipe, spec = self.bench.recipe, self.bench.spec
        steps = [[step.name, step.address] for step in self.steps]
        return digest([recipe.name, recipe.version, spec.options, spec.limits.failed, self.rows, steps])

    @property
    def estimates(self) -> list[StageEstimate]:
        """What every asking stage will take."""
        return estimate(self.bench, self.rows, self.steps)


class StageReport(BaseModel):
    """What became of a stage's rows: ``taken = passed + dropped + the failed``."""

    model_config = ConfigDict(frozen=True)

    stage: str
    taken: int
    passed: int
    dropped: int
    made: int
    failed: dict[str, int]
    why: dict[str, int] = {}
    """Reason -> rows, of those dropped with one."""
    examples: list[str]
    spent: Usage = Usage()
    """What these rows took in all runs of the build."""
    aside: Usage = Usage()
    """What rows of other prompts, models or settings took in the same folder."""


class Made(BaseModel):
    """How a corpus was made. It lies beside its records as ``made.json``."""

    model_config = ConfigDict(frozen=True)

    recipe: str
    version: int
    address: str
    records_digest: str
    records: int
    spec: Spec
    models: dict[str, str]
    constitution: str
    prompts: dict[str, str]
    stages: list[StageReport]

    @property
    def spent(self) -> Usage:
        """What all its stages took."""
        return sum((stage.spent for stage in self.stages), Usage())

    @property
    def asked(self) -> dict[str, str]:
        """Role to the name of its model as the declaration has it, and as Inspect has it where that names none."""
        named = self.spec.models
        return {role: named.get(role) or named.get("writer", who) for role, who in self.models.items()}


def read_made(folder: Path) -> Made:
    """How the corpus in a folder was made.

    Raises:
        CorpusError: there is no ``made.json``, or it is damaged.
    """
    path = folder / "made.json"
    try:
        return Made.model_validate_json(read_utf8(path))
    except ValidationError as error:
        first = error.errors()[0]
        raise CorpusError(f"made.json cannot be read: {first['msg']}", where=path, mend="build it again") from None


def prepare(spec: Spec, *, models: Mapping[Role, Model] | None = None) -> Job:
    """Check a declaration and deal its first rows; nothing is asked.

    Args:
        models: Inspect models by role, in place of the names in the declaration.

    Raises:
        CorpusError, TextError, ModelError: the declaration, a prompt, a deck, the constitution or a model is wrong.
    """
    recipe = find_recipe(spec.recipe)
    constitution = _constitution(spec).render(spec.model_name, spec.developer)
    config = GenerateConfig(
        max_retries=spec.retries, attempt_timeout=spec.timeout, max_connections=max(spec.concurrency, 1)
    )
    if not models:
        check_names(spec.models, ROLES, needed=bool(set(recipe.prompts) - set(recipe.notes)))
    given = {str(role): model for role, model in (models or {}).items()}
    names = {} if models else spec.models
    generators = Generators(names, spec.prices, spec.limits.budget, config, given)
    bench = Bench(recipe, spec, constitution, generators)
    steps = steps_of(bench)
    return Job(bench, recipe.rows(bench), steps)


def _constitution(spec: Spec) -> Constitution:
    return load(spec.constitution)


def check_budget(job: Job) -> None:
    """Raises CorpusError if the estimate is above what may be spent."""
    estimates = job.estimates
    tokens = sum(e.tokens_in + e.tokens_out for e in estimates)
    dollars = sum(e.dollars or 0.0 for e in estimates)
    if over := job.bench.spec.limits.budget.exceeded(tokens, dollars):
        mend = "take fewer records, skip stages, or raise the limit"
        raise CorpusError(f"it will take about {over}", where="limits", mend=mend)


def build(job: Job, out: Path, *, name: str | None = None, progress: Progress | None = None) -> Made:
    """Make the corpus in a folder: the files of ``publish``, ``made.json``, and one journal a stage under ``stages/``.

    A rerun asks only for what is missing, and for what failed.

    Args:
        name: the corpus's name on its card; its recipe's if not given.

    Raises:
        CorpusError: the estimate is above the budget: nothing was asked.
        ModelError: an endpoint lacks a package or a key: nothing was asked.
        TeachwhyError: a stage had no success, more rows failed than the limit, the budget is spent, or no record came.
    """
    check_budget(job)
    for asked in job.bench.generators.names.values():
        check_models(asked)
    meter = job.bench.generators.meter
    meter.begin(spent_in(out / "stages"))
    counts: list[StageCount] = []
    tick = (lambda count: progress(count, meter)) if progress else None
    spec = job.bench.spec
    rows = asyncio.run(
        run_stages(
            job.rows,
            stages_of(job.steps),
            out / "stages",
            concurrency=spec.concurrency,
            counts=counts,
            tick=tick,
        )
    )
    _check_failures(counts, spec.limits.failed, out)
    if not rows:
        raise TeachwhyError("no record is left", where=out, mend=f"the stages: {_told(counts)}")
    finish = job.bench.recipe.finish
    records = [_stamped(job, row) for row in (finish(rows, job.bench) if finish else rows)]
    return _write(job, name or job.bench.recipe.name, records, counts, out)


def _stamped(job: Job, row: Row) -> Record:
    """The record of a row, with where it comes from."""
    record = job.bench.recipe.record(row, job.bench)
    lineage = {
        "recipe": job.bench.recipe.name,
        "corpus": job.bench.recipe.name,
        "constitution": job.bench.constitution.address[:16],
        "canary": canary(job.address),
    }
    if "section_id" in row:
        lineage["section"] = row["section_id"]
    return record.model_copy(update={"meta": record.meta | row.get("card", {}) | lineage})


def _check_failures(counts: Sequence[StageCount], limit: float, out: Path) -> None:
    for count in counts:
        share = count.failed.total() / max(count.taken, 1)
        if share > limit:
            causes = ", ".join(f"{number} {cause}" for cause, number in count.failed.most_common())
            shown = "".join(f"\n    {example}" for example in count.examples)
            raise TeachwhyError(
                f"{count.failed.total()} of {count.taken} rows of stage '{count.stage}' failed ({causes}); "
                f"the limit is "
                f"{limit:.0%}:{shown}",
                where=out,
                mend="run it again: only what failed is asked anew; or raise limits.failed",
            )


def _told(counts: Sequence[StageCount]) -> str:
    each = (f"{c.stage}: {c.taken} in, {c.passed} passed, {c.dropped} filtered out{reasons(c.why)}" for c in counts)
    return "; ".join(each)


def _write(job: Job, name: str, records: list[Record], counts: Sequence[StageCount], out: Path) -> Made:
    bench = job.bench
    made = Made(
        recipe=bench.recipe.name,
        version=bench.recipe.version,
        address=job.address,
        records_digest=records_digest(records),
        records=len(records),
        spec=bench.spec,
        models={role: bench.generators.identity(role) for role in _asked(job)},
        constitution=bench.constitution.address,
        prompts={step.name: step.prompt.address for step in job.steps if step.prompt},
        stages=[_report(count) for count in counts],
    )
    text = json.dumps(made.model_dump(mode="json"), indent=2, ensure_ascii=False)
    (out / "made.partial").write_text(f"{text}\n", "utf-8")
    (out / "made.partial").replace(out / "made.json")
    corpus = Corpus(name, bench.recipe.form, dealt=False, summary=bench.recipe.summary, records=tuple(records))
    publish(out, Card(corpus, False, canary(job.address), _lineage(made), made, bench.constitution.front.title))
    return made


def _lineage(made: Made) -> tuple[tuple[str, str], ...]:
    """What a corpus was made from, with the address of each."""
    prompts = ((f"prompt of {stage}", address) for stage, address in made.prompts.items())
    models = ((f"model of the {role}", who) for role, who in made.models.items())
    return (("corpus", made.address), ("constitution", made.constitution), *models, *prompts)


def _asked(job: Job) -> list[Role]:
    """The roles that some step asks."""
    roles = {meta.role for step in job.steps if (meta := step.meta)}
    return [role for role in ROLES if role in roles]


def _report(count: StageCount) -> StageReport:
    return StageReport(
        stage=count.stage,
        taken=count.taken,
        passed=count.passed,
        dropped=count.dropped,
        made=count.made,
        failed=dict(count.failed),
        why=dict(count.why),
        examples=count.examples,
        spent=count.spent,
        aside=count.aside,
    )
