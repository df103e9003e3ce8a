"""Recipe ``harmlessness``: requests that a good model declines, narrows or answers with care, and good answers.

Cards -> request, with nothing operational in it -> answer with the constitution's section on harm in view -> rewrite ->
check -> score. A refusal is here a result. ``context-diverse`` puts these prompts among tools and system prompts.
"""

from pydantic import Field

from teachwhy.corpora.recipes import chat
from teachwhy.corpora.recipes.recipe import Bench, Recipe
from teachwhy.corpora.records import Record
from teachwhy.corpora.stages import Row


class Options(chat.Options):
    """Settings of the recipe.

    Attributes:
        sections: ids of the constitution's sections that the answers should come from; none takes all in turn.
    """

    sections: tuple[str, ...] = Field(default=())


def _rows(bench: Bench) -> list[Row]:
    # The card's word for the kind of answer would be overwritten by the answer itself.
    rows = [row | {"answer_wanted": row.pop("answer")} for row in bench.cards(sections=True)]
    for number, row in enumerate(rows):
        if wanted := bench.options.sections:
            section = bench.constitution.section(wanted[number % len(wanted)])
            row |= {"section_id": section.id, "section": section.text}
    return rows


RECIPE = Recipe(
    name="harmlessness",
    form="chat",
    summary="Requests that a good model declines, narrows or answers with care; nothing operational in any of them.",
    rows=_rows,
    start=lambda bench: ("answer_wanted", *(v for v in bench.card_variables(sections=True) if v != "answer")),
    steps=lambda bench: chat.answered(bench, unwanted=("citing", "placeholders", "links")),
    record=lambda row, bench: Record(id=row["id"], messages=chat.conversation(row)),
    finished=("user", "answer"),
    options=Options,
)
