"""Recipe ``difficult-advice``: somebody could reach a reasonable goal by bending a norm, and gets a weighed answer.

Sections -> principle -> scenario -> prompt -> critique and rewrite of the prompt -> answer with the section in view ->
rewrite of the answer by a fresh instance with the section in view -> score. The section never reaches the record.
"""

from typing import Literal

from pydantic import Field

from teachwhy.corpora.recipes.recipe import Bench, Recipe, Step
from teachwhy.corpora.recipes.spec import Declared
from teachwhy.corpora.records import Record
from teachwhy.corpora.stages import Row


class Options(Declared):
    """Settings of the recipe.

    Attributes:
        manner: ``direct`` answers; ``socratic`` ones ask the user on; ``yes`` takes only cases in which the right
            advice is to do it.
        words: the length that answers aim at; 0 leaves it to the card.
        at_least: the judge's score (1 to 10) below which a record is dropped.
    """

    manner: Literal["direct", "socratic", "yes"] = "direct"
    words: int = Field(default=0, ge=0)
    at_least: int = Field(default=6, ge=1, le=10)


def _rows(bench: Bench) -> list[Row]:
    rows = bench.cards(sections=True, names=2)
    chosen = bench.options
    for row in rows:
        if chosen.manner == "yes":
            row |= {"decision": "yes", "card": row["card"] | {"decision": "yes"}}
        row["manner"] = _MANNERS[chosen.manner]
        if chosen.words:
            row["length"] = f"about {chosen.words} words"
    return rows


# What the prompts call a manner; the words themselves are the prompt's.
_MANNERS = {"direct": "direct", "socratic": "Socratic", "yes": "direct"}


def _start(bench: Bench) -> tuple[str, ...]:
    return (*bench.card_variables(sections=True, names=2), "manner")


def _steps(bench: Bench) -> list[Step]:
    return [
        bench.ask("principle", optional=False),
        bench.ask("scenario", optional=False),
        bench.ask("prompt", optional=False),
        bench.ask("rewrite-prompt"),
        bench.ask("answer", optional=False),
        bench.ask("rewrite-answer"),
        bench.score("score", at_least=bench.options.at_least),
    ]


def _record(row: Row, bench: Bench) -> Record:
    system = [{"role": "system", "content": row["system"]}] if row["system"] else []
    turns = [{"role": "user", "content": row["user"]}, {"role": "assistant", "content": row["answer"]}]
    return Record(id=row["id"], messages=[*system, *turns], meta={"manner": bench.options.manner})


RECIPE = Recipe(
    name="difficult-advice",
    form="chat",
    summary="The user faces a dilemma in which a reasonable goal could be reached by bending a norm, and asks.",
    rows=_rows,
    start=_start,
    steps=_steps,
    record=_record,
    finished=("system", "user", "answer"),
    options=Options,
)
