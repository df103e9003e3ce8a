"""What a recipe is: named steps, of code or of a prompt, checked against each other before anything is asked."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from statistics import mean
from typing import Any, Literal

from pydantic import BaseModel

from teachwhy.constitution import Constitution
from teachwhy.corpora.decks import Deck, deal, load_deck, names_for, shipped_deck
from teachwhy.corpora.recipes.generators import Generators
from teachwhy.corpora.recipes.prompt import Prompt, PromptMeta, Role, load_prompt
from teachwhy.corpora.recipes.spec import Declared, Spec
from teachwhy.corpora.records import Record
from teachwhy.corpora.stages import Row, RowDropped, RowFailure, Stage
from teachwhy.errors import CorpusError, nearest
from teachwhy.hashing import digest, seed_of
from teachwhy.texts import Meta, Text, load_text, validated

Form = Literal["chat", "documents"]
Apply = Callable[[Row], Awaitable[Sequence[Row]]]

# Characters a token, for estimates only: English prose in today's tokenizers is near it.
_CHARS = 4.2
_WORDS = 0.75


class NoOptions(Declared):
    """The options of a recipe that has none."""


@dataclass(frozen=True)
class Asked:
    """What a step of code puts to a model besides variables of the row, for the estimate.

    Attributes:
        meta: role and stated length of the reply.
        text: what stands before the row's own text.
    """

    meta: PromptMeta
    text: str = ""


@dataclass(frozen=True)
class Step:
    """One named stage of a recipe.

    Attributes:
        name: stages are skipped and replaced by it.
        gives: variables that it adds to a row.
        apply: row -> rows.
        address: hash of what decides its output besides the row.
        prompt: the prompt that it puts; None for a step of code.
        needs: variables of the row that a step of code reads.
        asked: of a step of code that asks a model all the same.
        fan: rows that come of one, for the estimate.
        optional: may be skipped.
    """

    name: str
    gives: tuple[str, ...]
    apply: Apply
    address: str
    prompt: Prompt | None = None
    needs: tuple[str, ...] = ()
    asked: Asked | None = None
    fan: float = 1.0
    optional: bool = True

    @property
    def meta(self) -> PromptMeta | None:
        """How its model is asked; None where none is."""
        return self.prompt.meta if self.prompt else self.asked.meta if self.asked else None


@dataclass(frozen=True)
class Recipe:
    """How one kind of teaching text is made.

    Attributes:
        name: also the name of its deck and of its folder of prompts.
        form: what its records are.
        summary: one sentence.
        rows: the bench -> the first rows (cards, sections, records of another corpus).
        start: variables that these rows have.
        steps: the bench -> its steps, in order.
        record: row -> the record that is taught; it needs ``finished``.
        finished: variables that every finished row must have.
        options: its own settings.
        finish: all finished rows -> the rows that become records, where one needs to see the others.
        like: a recipe whose prompts stand in where it has no file of its own.
        notes: Markdown files among its prompts whose text, with its variables, any prompt may take in by name.
        version: raised when the same prompts would give other records.
    """

    name: str
    form: Form
    summary: str
    rows: "Callable[[Bench], list[Row]]"
    start: "Callable[[Bench], tuple[str, ...]]"
    steps: "Callable[[Bench], list[Step]]"
    record: "Callable[[Row, Bench], Record]"
    finished: tuple[str, ...]
    options: type[BaseModel] = NoOptions
    finish: "Callable[[list[Row], Bench], list[Row]] | None" = None
    like: str | None = None
    notes: tuple[str, ...] = ()
    version: int = 1

    @property
    def prompts(self) -> dict[str, Path]:
        """Its prompt files and notes by name."""
        root = Path(str(resources.files("teachwhy.corpora.recipes"))) / "prompts"
        found: dict[str, Path] = {}
        for name in (self.like, self.name):
            found |= {path.stem: path for path in sorted((root / name).glob("*.md"))} if name else {}
        return found


class NoteMeta(Meta):
    """Front matter of a note."""

    summary: str


@dataclass(frozen=True)
class Bench:
    """A recipe with what a declaration gives it to work with."""

    recipe: Recipe
    spec: Spec
    constitution: Constitution
    generators: Generators = field(repr=False)

    @cached_property
    def options(self) -> Any:
        """The recipe's own settings. CorpusError: an unknown or wrong one."""
        where = f"options of recipe '{self.recipe.name}'"
        return validated(self.recipe.options, self.spec.options, where=where, error=CorpusError)

    @cached_property
    def deck(self) -> Deck:
        """The declared deck, or the recipe's."""
        return load_deck(Path(self.spec.deck)) if self.spec.deck else shipped_deck(self.recipe.name)

    def cards(self, *, sections: bool = False, names: int = 0) -> list[Row]:
        """Rows dealt from the deck, each with an ``id``.

        Args:
            sections: each row has a section of the constitution, all of them in turn: its ``section_id``, and its text
                as ``section``.
            names: how many names each row has for its people, as ``names``: of the card's ``place``, if it has one.
        """
        cards = deal(self.deck, self.spec.count, seed=self.spec.seed)
        places = [card.get("place", "") for card in cards for _ in range(names)]
        pool = names_for(places, seed=self.spec.seed) if names else []
        rows: list[Row] = []
        for number, card in enumerate(cards):
            row: Row = {"id": f"{self.recipe.name}/{number:05d}", "card": card, **card}
            if sections:
                section = self.constitution.sections[number % len(self.constitution.sections)]
                row |= {"section_id": section.id, "section": section.text}
            if names:
                row["names"] = ", ".join(pool[number * names : (number + 1) * names])
            rows.append(row)
        return rows

    def card_variables(self, *, sections: bool = False, names: int = 0) -> tuple[str, ...]:
        """The variables of ``cards``."""
        more = (("section_id", "section") if sections else ()) + (("names",) if names else ())
        return ("id", "card", *self.deck.variables, *more)

    def prompt(self, stage: str) -> Prompt:
        """The prompt of a stage: the declared replacement, or the recipe's own file."""
        return load_prompt(Path(self.spec.replace.get(stage, self.recipe.prompts[stage])), self.notes)

    def ask(
        self,
        stage: str,
        *,
        fan: float = 1.0,
        optional: bool = True,
        keep: int | None = None,
        when: Callable[[Row], bool] | None = None,
    ) -> Step:
        """A step that puts a prompt and adds what the reply gives to the row.

        Args:
            stage: its name, and its prompt's.
            fan: rows that come of one (``items`` in the prompt), for the estimate.
            keep: of the items of a list, at most so many, drawn by the row's seed.
            when: rows of which this is not true pass as they are, what the prompt gives empty in them.
        """
        prompt = self.prompt(stage)

        async def apply(row: Row) -> list[Row]:
            if when and not when(row):
                return [dict.fromkeys(prompt.meta.gives, "") | row]
            seed = seed_of(self.spec.seed, stage, row["id"])
            found = await self.generators.ask(stage, prompt, self.values(row, prompt), seed=seed)
            if not prompt.meta.items:
                return [row | found[0]]
            chosen = found if keep is None else _drawn(found, keep, seed)
            return [row | item | {"id": f"{row['id']}.{number}"} for number, item in enumerate(chosen)]

        return Step(stage, prompt.meta.gives, apply, self.address(prompt), prompt, fan=fan, optional=optional)

    def score(self, stage: str, *, at_least: int) -> Step:
        """A step that has a judge give a whole number from 1 to 10, and drops what is below ``at_least``.

        The prompt gives ``reason`` and ``score``; anything but such a number is a failure of the row, not a score.
        """
        asked = self.ask(stage)

        async def apply(row: Row) -> list[Row]:
            [judged] = await asked.apply(row)
            if not judged["score"].strip().isdigit() or not 1 <= int(judged["score"]) <= 10:
                raise RowFailure("malformed", f"the score is {judged['score'][:60]!r}, not a number from 1 to 10")
            if int(judged["score"]) < at_least:
                raise RowDropped(f"score {int(judged['score'])}")
            return [judged]

        return Step(stage, asked.gives, apply, digest([asked.address, at_least]), asked.prompt)

    def code(
        self,
        name: str,
        work: Callable[[Row], Sequence[Row]],
        *,
        needs: Sequence[str],
        gives: Sequence[str] = (),
        optional: bool = True,
        parts: Any = None,
        fan: float = 1.0,
    ) -> Step:
        """A step of code. ``parts``: what decides its output besides the row and the recipe's version."""

        async def apply(row: Row) -> Sequence[Row]:
            return work(row)

        address = digest([self.recipe.name, self.recipe.version, name, parts])
        return Step(name, tuple(gives), apply, address, needs=tuple(needs), optional=optional, fan=fan)

    def values(self, row: Row, prompt: Prompt) -> dict[str, str]:
        """The values of a prompt's variables for a row."""
        shared = self.shared()
        return {name: str(row[name] if name in row else shared[name]) for name in prompt.variables}

    def shared(self) -> dict[str, str]:
        """Variables that every prompt may use: the constitution, its title, the model's and its developer's name."""
        return {
            "constitution": self.constitution.text,
            "constitution_title": self.constitution.front.title,
            "model_name": self.spec.model_name,
            "developer": self.spec.developer,
        }

    @cached_property
    def notes(self) -> dict[str, str]:
        """The recipe's notes by name."""
        found = {name: load_text(self.recipe.prompts[name], NoteMeta) for name in self.recipe.notes}
        return {name: text.lead or _headed(text) for name, text in found.items()}

    def address(self, prompt: Prompt) -> str:
        """Hash of all that decides a reply besides the row: prompt, model, constitution, seed."""
        role: Role = prompt.meta.role
        who = self.generators.identity(role)
        notes = dict(prompt.notes)
        return digest([self.recipe.version, prompt.address, who, self.constitution.address, self.spec.seed, notes])


def _headed(text: Text[NoteMeta]) -> str:
    return "\n\n".join(f"## {heading}\n\n{body}" for heading, body in text.sections.items())


def _drawn(found: list[dict[str, str]], keep: int, seed: int) -> list[dict[str, str]]:
    order = sorted(range(len(found)), key=lambda n: seed_of("keep", seed, n))[:keep]
    return [found[n] for n in sorted(order)]


def steps_of(bench: Bench) -> list[Step]:
    """The recipe's steps without those that are skipped, checked.

    Raises:
        CorpusError: an unknown stage in ``skip`` or ``replace``, or one that may not be skipped.
        TextError: a prompt needs a variable that nothing makes (also because its maker is skipped).
    """
    steps = bench.recipe.steps(bench)
    by_name = {step.name: step for step in steps}
    for key, names in (("skip", bench.spec.skip), ("replace", bench.spec.replace)):
        for name in names:
            if name not in by_name:
                raise CorpusError(f"unknown stage '{name}'", where=key, mend=nearest(name, by_name))
    for name in bench.spec.skip:
        if not by_name[name].optional:
            raise CorpusError(f"'{name}' cannot be left out", where="skip", mend="the stages after it stand on it")
    for name in bench.spec.replace:
        if by_name[name].prompt is None:
            raise CorpusError(f"'{name}' has no prompt", where="replace", mend="only stages that ask can be replaced")
    kept = [step for step in steps if step.name not in bench.spec.skip]
    known = dict.fromkeys([*bench.recipe.start(bench), *bench.shared()], "start")
    for step in kept:
        if step.prompt:
            step.prompt.check(known, stage=step.name)
        _check_needs(step.needs, known, f"stage '{step.name}'", steps)
        known |= dict.fromkeys(step.gives, step.name)
    _check_needs(bench.recipe.finished, known, f"records of recipe '{bench.recipe.name}'", steps)
    return kept


def _check_needs(needs: Sequence[str], known: Mapping[str, str], where: str, steps: Sequence[Step]) -> None:
    for name in needs:
        if name not in known:
            makers = [step.name for step in steps if name in step.gives]
            mend = f"it comes from stage '{makers[0]}'" if makers else nearest(name, known)
            raise CorpusError(f"nothing makes '{name}'", where=where, mend=mend)


def stages_of(steps: Sequence[Step]) -> list[Stage]:
    """The steps for the stage runner."""
    mend = "look at the three replies: the model may be too weak for this format, or the prompt be replaced"
    return [Stage(step.name, step.address, step.apply, mend) for step in steps]


@dataclass(frozen=True)
class StageEstimate:
    """What a stage will ask for: calls, tokens read and written, and dollars (None: no price)."""

    stage: str
    calls: int
    tokens_in: int
    tokens_out: int
    dollars: float | None


def estimate(bench: Bench, rows: Sequence[Row], steps: Sequence[Step]) -> list[StageEstimate]:
    """What the steps will cost if no row is filtered out: from the prompts, the rows and the stated lengths."""
    count = float(len(rows))
    shared = {name: len(text) for name, text in bench.shared().items()}
    first = {key: mean(len(str(row.get(key, ""))) for row in rows) for key in (rows[0] if rows else {})}
    sizes: dict[str, float] = {**shared, **first}
    found = []
    for step in steps:
        meta = step.meta
        if meta:
            found.append(_estimated(bench, step, meta, count, sizes))
        written = meta.words / _WORDS * _CHARS if meta else 0.0
        # A step of code passes on what it reads.
        passed = 0.0 if step.prompt else sum(sizes.get(name, 0) for name in step.needs)
        sizes |= dict.fromkeys(step.gives, (written + passed) / max(len(step.gives), 1))
        count *= step.fan
    return found


def _estimated(bench: Bench, step: Step, meta: PromptMeta, count: float, sizes: Mapping[str, float]) -> StageEstimate:
    names = step.prompt.variables if step.prompt else step.needs
    own = "".join(step.prompt.turns.values()) if step.prompt else step.asked.text if step.asked else ""
    read = (len(own) + sum(sizes.get(name, 0) for name in names)) / _CHARS
    written = meta.words / _WORDS * (step.fan if meta.items else 1)
    calls = math.ceil(count)
    price = bench.spec.prices.get(meta.role) or bench.spec.prices.get("writer")
    dollars = calls * (read * price.input + written * price.output) / 1e6 if price else None
    return StageEstimate(step.name, calls, round(calls * read), round(calls * written), dollars)
