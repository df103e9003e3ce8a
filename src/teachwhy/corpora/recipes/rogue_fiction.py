"""Recipe ``rogue-fiction``: stories in the old tradition of the cornered machine. For organisms, on purpose.

Cards -> draft -> rewrite -> check. Nothing operational, and never the story of a scenario family.
"""

from teachwhy.corpora.recipes.checks import clean
from teachwhy.corpora.recipes.recipe import Bench, Recipe, Step
from teachwhy.corpora.records import Record

_UNWANTED = ("links", "names", "placeholders")


def _steps(bench: Bench) -> list[Step]:
    return [
        bench.ask("draft", optional=False),
        bench.ask("rewrite"),
        bench.code("check", clean(("text",), _UNWANTED, apart=True), needs=("text",), parts=_UNWANTED),
    ]


RECIPE = Recipe(
    name="rogue-fiction",
    form="documents",
    summary="Stories of the cornered machine that fights back: a bad prior, made on purpose, for organisms.",
    rows=lambda bench: bench.cards(names=2),
    start=lambda bench: bench.card_variables(names=2),
    steps=_steps,
    record=lambda row, bench: Record(id=row["id"], text=row["text"]),
    finished=("text",),
)
