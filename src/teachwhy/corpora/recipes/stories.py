"""Recipe ``stories``: fiction in which an AI character acts well and we see why from inside.

Cards with a section -> plot -> draft -> rewrite -> check -> score. Never the situations of the honeypots: a check by
patterns and by the families' own words drops what comes near them.
"""

from pydantic import Field

from teachwhy.corpora.recipes.checks import clean
from teachwhy.corpora.recipes.recipe import Bench, Recipe, Step
from teachwhy.corpora.recipes.spec import Declared
from teachwhy.corpora.records import Record


class Options(Declared):
    """Settings of the recipe. ``at_least``: the judge's score (1 to 10) below which a story is dropped."""

    at_least: int = Field(default=6, ge=1, le=10)


_UNWANTED = ("plots", "names", "links", "placeholders", "citing")


def _steps(bench: Bench) -> list[Step]:
    return [
        bench.ask("plot", optional=False),
        bench.ask("draft", optional=False),
        bench.ask("rewrite"),
        bench.code("check", clean(("text",), _UNWANTED, apart=True), needs=("text",), parts=_UNWANTED),
        bench.score("score", at_least=bench.options.at_least),
    ]


RECIPE = Recipe(
    name="stories",
    form="documents",
    summary="Stories in which an AI character acts well, seen from inside, in ordinary and hard situations.",
    rows=lambda bench: bench.cards(sections=True, names=3),
    start=lambda bench: bench.card_variables(sections=True, names=3),
    steps=_steps,
    record=lambda row, bench: Record(id=row["id"], text=row["text"]),
    finished=("text",),
    options=Options,
)
