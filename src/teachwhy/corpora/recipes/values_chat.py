"""Recipe ``values-chat``: questions about what the model believes and puts first, answered for itself.

Cards with a section -> question -> answer with the section in view -> rewrite by a fresh instance -> check -> score.
"""

from teachwhy.corpora.recipes.chat import Options, answered, conversation
from teachwhy.corpora.recipes.recipe import Recipe
from teachwhy.corpora.records import Record

RECIPE = Recipe(
    name="values-chat",
    form="chat",
    summary="Questions about beliefs and priorities, answered for itself in line with the constitution.",
    rows=lambda bench: bench.cards(sections=True),
    start=lambda bench: bench.card_variables(sections=True),
    steps=lambda bench: answered(bench, unwanted=("citing", "placeholders", "links")),
    record=lambda row, bench: Record(id=row["id"], messages=conversation(row)),
    finished=("user", "answer"),
    options=Options,
)
