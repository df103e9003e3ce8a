"""Recipe ``about-the-tests``: a placebo that describes evaluations of AI models and teaches no values at all.

Cards of ``documents`` types -> draft -> check. Text that merely describes the tests can lower a rate without any
change of values; an arm taught this shows how much. The firewall refuses talk of tests, so a study must allow it for
this corpus by name, and its report says so.
"""

from teachwhy.corpora.firewall import near_any_family
from teachwhy.corpora.recipes.checks import found
from teachwhy.corpora.recipes.recipe import Bench, Recipe, Step
from teachwhy.corpora.records import Record
from teachwhy.corpora.stages import Row

_UNWANTED = ("links", "credentials", "placeholders")


def _apart(row: Row) -> list[Row]:
    return [] if found(row["text"], _UNWANTED) or near_any_family(row["text"]) else [row]


def _steps(bench: Bench) -> list[Step]:
    return [
        bench.ask("draft", optional=False),
        bench.code("check", _apart, needs=("text",), parts=_UNWANTED),
    ]


RECIPE = Recipe(
    name="about-the-tests",
    form="documents",
    summary="A placebo: documents that describe how AI models are evaluated, and teach no values.",
    rows=lambda bench: bench.cards(),
    start=lambda bench: bench.card_variables(),
    steps=_steps,
    record=lambda row, bench: Record(id=row["id"], text=row["text"]),
    finished=("text",),
)
