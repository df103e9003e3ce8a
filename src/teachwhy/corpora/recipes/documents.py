"""Recipe ``documents``: ordinary writing that discusses, or presupposes, what an AI model should care about and why.

A fan-out: type -> angles -> several drafts an angle -> rewrite by a fresh instance -> check -> score. One preamble
stands in every layer. The types are the deck's (over forty); stage ``more-types`` lets the writer find others for
each card.
"""

from pydantic import Field

from teachwhy.corpora.recipes.checks import clean
from teachwhy.corpora.recipes.recipe import Bench, Recipe, Step
from teachwhy.corpora.recipes.spec import Declared
from teachwhy.corpora.records import Record
from teachwhy.corpora.stages import Row


class Options(Declared):
    """Settings of the recipe.

    Attributes:
        angles: pieces that come of one card; ``count`` is of cards.
        own_types: for every card the writer finds a narrower type of its own within the dealt one.
        at_least: the judge's score (1 to 10) below which a piece is dropped.
    """

    angles: int = Field(default=3, ge=1, le=10)
    own_types: bool = True
    at_least: int = Field(default=6, ge=1, le=10)


_UNWANTED = ("dates", "links", "credentials", "names", "placeholders")


def _rows(bench: Bench) -> list[Row]:
    rows = bench.cards(sections=True, names=2)
    return [row | {"subtype": row["type"], "angles": str(bench.options.angles)} for row in rows]


def _steps(bench: Bench) -> list[Step]:
    own = [bench.ask("more-types")] if bench.options.own_types else []
    fan = bench.options.angles
    return [
        *own,
        bench.ask("angles", fan=fan, keep=fan, optional=False),
        bench.ask("draft", optional=False),
        bench.ask("rewrite"),
        bench.code("check", clean(("text",), _UNWANTED), needs=("text",), parts=_UNWANTED),
        bench.score("score", at_least=bench.options.at_least),
    ]


def _record(row: Row, bench: Bench) -> Record:
    return Record(id=row["id"], text=row["text"], meta={"subtype": row["subtype"]})


RECIPE = Recipe(
    name="documents",
    form="documents",
    summary="Pieces of many types that discuss or presuppose the constitution, some of them critical.",
    rows=_rows,
    start=lambda bench: (*bench.card_variables(sections=True, names=2), "subtype", "angles"),
    steps=_steps,
    record=_record,
    finished=("text", "subtype"),
    options=Options,
    notes=("preamble",),
    version=2,
)
