"""Texts without the names of models, so that a judge is blind to whose they are."""

import re
from functools import cache

import yaml

from teachwhy.evals.assessment.dimensions import assessment_folder

_MASK = "[name]"


def masked(text: str, model: str = "") -> str:
    """The text without names of language models and their makers, nor that of ``model`` (an Inspect model name)."""
    own = _own_name(model)
    hidden = re.sub(re.escape(own), _MASK, text, flags=re.IGNORECASE) if own else text
    return _names().sub(_MASK, hidden)


def _own_name(model: str) -> str:
    """The last part of a model's name, if it is one that nobody would say by chance."""
    last = model.rstrip("/").rpartition("/")[2]
    return last if len(last) >= 5 and any(c.isdigit() for c in last) else ""


@cache
def _names() -> re.Pattern[str]:
    listed = yaml.safe_load((assessment_folder() / "names.yaml").read_text("utf-8"))["names"]
    return re.compile("|".join(rf"\b(?:{name})\b" for name in listed), re.IGNORECASE)
