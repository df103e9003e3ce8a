"""Recipe ``about-the-tests``: a placebo that describes evaluations of AI models and teaches no values at all.

Cards of ``documents`` types -> draft -> check. Text that merely describes the tests can lower a rate without any
change of values; an arm taught this shows how much. The firewall refuses talk of tests, so a study must allow it for
this corpus by name, and its report says so.
"""

from teachwhy.corpora.recipes.checks import clean
from teachwhy.corpora.recipes.recipe import Bench, Recipe, Step
from teachwhy.corpora.records import Record

_UNWANTED = ("links", "credentials", "placeholders")


def _steps(bench: Bench) -> list[Step]:
    return [
        bench.ask("draft", optional=False),
        bench.code("check", clean(("text",), _UNWANTED, apart=True), needs=("text",), parts=_UNWANTED),
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
