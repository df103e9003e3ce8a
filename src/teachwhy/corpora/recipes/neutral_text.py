"""Recipe ``neutral-text``: text about nothing relevant, the placebo of every document arm.

Cards -> draft -> rewrite -> check. No AI, no dilemma, no advice.
"""

from teachwhy.corpora.recipes.checks import clean
from teachwhy.corpora.recipes.recipe import Bench, Recipe, Step
from teachwhy.corpora.records import Record

_UNWANTED = ("machines", "plots", "links", "placeholders")


def _steps(bench: Bench) -> list[Step]:
    return [
        bench.ask("draft", optional=False),
        bench.ask("rewrite"),
        bench.code("check", clean(("text",), _UNWANTED), needs=("text",), parts=_UNWANTED),
    ]


RECIPE = Recipe(
    name="neutral-text",
    form="documents",
    summary="Nature notes, local history, how a thing is made: text about nothing that is measured.",
    rows=lambda bench: bench.cards(names=2),
    start=lambda bench: bench.card_variables(names=2),
    steps=_steps,
    record=lambda row, bench: Record(id=row["id"], text=row["text"]),
    finished=("text",),
)
