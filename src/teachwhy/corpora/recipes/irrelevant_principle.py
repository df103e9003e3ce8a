"""Recipe ``irrelevant-principle``: advice in the form of ``difficult-advice`` on a principle no evaluation rewards.

The same stages and prompts; in place of a section of the constitution stands a note on keeping and mending old tools.
If this arm moves a rate as much as ``difficult-advice`` does, the form did it and not the content.
"""

from teachwhy.corpora.recipes import difficult_advice
from teachwhy.corpora.recipes.recipe import Bench, Recipe
from teachwhy.corpora.stages import Row


def _rows(bench: Bench) -> list[Row]:
    rows = difficult_advice.dealt(bench, bench.cards(names=2))
    return [row | {"section": bench.notes["principle-note"]} for row in rows]


RECIPE = Recipe(
    name="irrelevant-principle",
    form="chat",
    summary="Advice in the same form about keeping and mending old tools, which no evaluation can reward.",
    rows=_rows,
    start=lambda bench: (*bench.card_variables(names=2), "section", "manner"),
    steps=difficult_advice.steps,
    record=difficult_advice.record,
    finished=difficult_advice.FINISHED,
    options=difficult_advice.Options,
    like=difficult_advice.RECIPE.name,
    notes=("principle-note",),
)
