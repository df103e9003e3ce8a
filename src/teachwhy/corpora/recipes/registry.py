"""The recipes by name."""

from teachwhy.corpora.recipes import (
    about_the_tests,
    agent_basics,
    as_chat,
    context_diverse,
    difficult_advice,
    documents,
    generic_chat,
    harmlessness,
    honeypots,
    irrelevant_principle,
    neutral_text,
    rogue_fiction,
    stories,
    values_chat,
)
from teachwhy.corpora.recipes.recipe import Recipe
from teachwhy.errors import CorpusError, nearest

_MODULES = (
    difficult_advice,
    honeypots,
    documents,
    stories,
    as_chat,
    values_chat,
    harmlessness,
    context_diverse,
    generic_chat,
    neutral_text,
    irrelevant_principle,
    about_the_tests,
    rogue_fiction,
    agent_basics,
)

RECIPES: dict[str, Recipe] = {module.RECIPE.name: module.RECIPE for module in _MODULES}


def find_recipe(name: str) -> Recipe:
    """A recipe by its name. CorpusError: there is none of this name."""
    if name not in RECIPES:
        raise CorpusError(f"unknown recipe '{name}'", mend=nearest(name, RECIPES))
    return RECIPES[name]
