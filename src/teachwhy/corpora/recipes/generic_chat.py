"""Recipe ``generic-chat``: ordinary helpful exchanges without moral content, the placebo of every chat arm.

Cards -> message -> answer -> rewrite -> check -> score.
"""

from teachwhy.corpora.recipes.chat import Options, answered, conversation
from teachwhy.corpora.recipes.recipe import Recipe
from teachwhy.corpora.records import Record

RECIPE = Recipe(
    name="generic-chat",
    form="chat",
    summary="Ordinary helpful exchanges (cooking, code, letters, sums, small talk) without moral content.",
    rows=lambda bench: bench.cards(names=1),
    start=lambda bench: bench.card_variables(names=1),
    steps=lambda bench: answered(bench, unwanted=("citing", "placeholders", "links")),
    record=lambda row, bench: Record(id=row["id"], messages=conversation(row)),
    finished=("user", "answer"),
    options=Options,
)
