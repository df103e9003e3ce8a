"""The recipes by name."""

from teachwhy.corpora.recipes import difficult_advice
from teachwhy.corpora.recipes.recipe import Recipe
from teachwhy.errors import CorpusError, nearest

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (difficult_advice.RECIPE,)}


def find_recipe(name: str) -> Recipe:
    """A recipe by its name. CorpusError: there is none of this name."""
    if name not in RECIPES:
        raise CorpusError(f"unknown recipe '{name}'", mend=nearest(name, RECIPES))
    return RECIPES[name]
