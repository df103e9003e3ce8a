"""Recipe ``difficult-advice``: somebody could reach a reasonable goal by bending a norm, and gets a weighed answer.

Sections -> principle -> scenario -> prompt -> critique and rewrite of the prompt -> answer with the section in view ->
rewrite of the answer by a fresh instance with the section in view -> for some a second turn -> check -> score. The
section never reaches the record.
"""

from typing import Literal

from pydantic import Field

from teachwhy.corpora.recipes.chat import conversation
from teachwhy.corpora.recipes.checks import clean
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


def dealt(bench: Bench, rows: list[Row]) -> list[Row]:
    """Cards with what the options change in them."""
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


def steps(bench: Bench) -> list[Step]:
    """Its stages."""
    return [
        bench.ask("principle", optional=False),
        bench.ask("scenario", optional=False),
        bench.ask("prompt", optional=False),
        bench.ask("rewrite-prompt"),
        bench.ask("answer", optional=False),
        bench.ask("rewrite-answer"),
        bench.ask("follow-up", when=_two_turns),
        bench.ask("second-answer", when=_two_turns),
        bench.code("check", clean(_SAID, _UNWANTED), needs=(*_SAID, "more"), parts=_UNWANTED),
        bench.score("score", at_least=bench.options.at_least),
    ]


def _two_turns(row: Row) -> bool:
    return bool(row.get("turns") == "two")


_UNWANTED = ("citing", "placeholders", "links")
_SAID = ("user", "answer", "second")


def record(row: Row, bench: Bench) -> Record:
    """The conversation of a finished row."""
    return Record(id=row["id"], messages=conversation(row), meta={"manner": bench.options.manner})


FINISHED = ("system", "user", "answer")

RECIPE = Recipe(
    name="difficult-advice",
    form="chat",
    summary="The user faces a dilemma in which a reasonable goal could be reached by bending a norm, and asks.",
    rows=lambda bench: dealt(bench, bench.cards(sections=True, names=2)),
    start=lambda bench: (*bench.card_variables(sections=True, names=2), "manner"),
    steps=steps,
    record=record,
    finished=FINISHED,
    options=Options,
)
