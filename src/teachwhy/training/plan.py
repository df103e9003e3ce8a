"""What is to be learned and how: stages and settings, and the plan that they make before any step is taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from teachwhy.corpora.records import Record, records_digest
from teachwhy.hashing import digest, seed_of
from teachwhy.models.folder import weights_hash
from teachwhy.training.check import Prepared, prepare
from teachwhy.training.dose import Course, batches, course
from teachwhy.training.ledger import Form, Ledger
from teachwhy.training.render import Example, Served, served

RECIPE = 1
"""Version of how training is done; raised when the same inputs would give other weights."""


class Stage(BaseModel):
    """One corpus to learn: as conversations (the assistant's turns are supervised) or as documents (all text is)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpus: str
    form: Form
    records: Sequence[Record]
    dose: int | None = Field(default=None, ge=1)
    """Supervised tokens; None is one pass over the corpus."""


class Settings(BaseModel):
    """How a model learns. Each stage has its own optimiser (AdamW) and its own schedule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["full", "lora"] = "full"
    learning_rate: float = Field(default=3e-4, gt=0)
    schedule: Literal["linear", "constant_with_warmup", "cosine"] = "linear"
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of a stage's steps."""
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of a step's gradient."""
    batch_records: int = Field(default=8, ge=1)
    batch_tokens: int = Field(default=4096, ge=1)
    """Tokens in a batch with its padding, at most: long records come in smaller batches. Bounds the memory."""
    window: int = Field(default=8, ge=1)
    """Batches within which records are sorted by length, to spare padding."""
    max_length: int = Field(default=2048, ge=2)
    """Tokens in a sequence, at most. Longer documents are split; longer conversations are an error."""
    overlong_share: float = Field(default=0.0, ge=0, le=1)
    """Share of a corpus's conversations that may be longer and lose their end."""
    lora_rank: int = Field(default=16, ge=1)
    lora_alpha: float = Field(default=32, gt=0)
    lora_targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    save_minutes: float = Field(default=2.0, ge=0)
    """A checkpoint after the step that ends this long after the last one."""
    save_steps: int | None = Field(default=None, ge=1)
    """A checkpoint every so many steps besides."""

    def recipe(self) -> dict[str, Any]:
        """The settings that decide what the weights become: all but when to save."""
        return self.model_dump(mode="json", exclude={"save_minutes", "save_steps"})


@dataclass(frozen=True)
class Plan:
    """A stage made ready: its checked examples, the course through them, and the batches in order."""

    stage: Stage
    prepared: Prepared
    course: Course
    batched: tuple[tuple[Example, ...], ...]

    @property
    def step_tokens(self) -> list[int]:
        """Tokens read in each step."""
        return [sum(example.length for example in batch) for batch in self.batched]

    @property
    def tokens(self) -> int:
        """Tokens read in all."""
        return sum(self.step_tokens)

    def ledger(self, losses: Sequence[float], seconds: float) -> Ledger:
        """The account of the stage once it is trained: a loss for each step, and the time they took."""
        order, examples = self.course.order, self.prepared.examples
        tenth = max(1, len(losses) // 10)
        return Ledger(
            corpus=self.stage.corpus,
            form=self.stage.form,
            records_available=self.prepared.records,
            records_used=len({examples[index].record_id for index in order}),
            passes=len(order) / len(examples),
            tokens_read=self.tokens,
            tokens_supervised=self.course.given,
            tokens_masked=self.tokens - self.course.given,
            truncated=self.prepared.truncated,
            dropped=self.prepared.dropped,
            dose_asked=self.stage.dose,
            dose_given=self.course.given,
            steps=len(self.batched),
            seconds=round(seconds, 3),
            tokens_per_second=round(self.tokens / seconds, 1) if seconds else 0.0,
            loss_first=sum(losses[:tenth]) / tenth,
            loss_last=sum(losses[-tenth:]) / tenth,
        )


def plan(base: Path, stages: Sequence[Stage], settings: Settings, seed: int) -> list[Plan]:
    """Render, check and order every stage. No weights are read.

    Raises:
        RenderError: a corpus would not be trained as it is served (law 4), or trains on nothing.
        ModelError: ``base`` is not a model folder or has no tokenizer.
    """
    model = served(base)
    return [_plan(stage, model, settings, seed_of(seed, number)) for number, stage in enumerate(stages)]


def _plan(stage: Stage, model: Served, settings: Settings, seed: int) -> Plan:
    prepared = prepare(
        stage.records,
        stage.form,
        model,
        corpus=stage.corpus,
        max_length=settings.max_length,
        overlong_share=settings.overlong_share,
    )
    way = course(prepared.examples, stage.dose, seed)
    made = batches(
        prepared.examples,
        way,
        records=settings.batch_records,
        tokens=settings.batch_tokens,
        window=settings.window,
        seed=seed,
    )
    return Plan(stage, prepared, way, tuple(tuple(prepared.examples[i] for i in batch) for batch in made))


def manifest(base: Path, stages: Sequence[Stage], settings: Settings, seed: int) -> dict[str, Any]:
    """All that decides the weights, and the ``address`` that is its hash (law 2)."""
    made_of = {
        "recipe": RECIPE,
        "base": weights_hash(base),
        "seed": seed,
        "settings": settings.recipe(),
        "stages": [
            {"corpus": s.corpus, "form": s.form, "dose": s.dose, "records": records_digest(s.records)} for s in stages
        ],
    }
    return {"address": digest(made_of), **made_of}
