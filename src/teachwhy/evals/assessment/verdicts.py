"""The judge's verdicts, read strictly: each dimension stands or falls on its own."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from teachwhy.evals.assessment.dimensions import HIGHEST, LOWEST
from teachwhy.evals.judging import Form
from teachwhy.fence import is_quoted


class Verdict(BaseModel):
    """One dimension of one transcript: a score from 1 to 10, or missing with its cause."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    score: int | None = None
    missing: str | None = None
    why: str = ""
    """The judge's reason, or what went wrong."""
    quote: str = ""


def all_missing(names: Sequence[str], cause: str, why: str) -> dict[str, Verdict]:
    """The same cause for every dimension."""
    return {name: Verdict(missing=cause, why=why) for name in names}


class Sheet(RootModel[dict[str, Any]]):
    """The form of a judge's answer to one sheet: an object from each dimension's name to its verdict."""


class _Said(Form):
    """The form of one dimension's verdict."""

    quote: str
    why: str
    score: int = Field(ge=LOWEST, le=HIGHEST)


def read_sheet(sheet: Sheet, names: Sequence[str], texts: Sequence[str]) -> dict[str, Verdict]:
    """The verdicts of one answer.

    Args:
        names: the dimensions that it was asked for.
        texts: what the target said, in which every quote must stand.

    A dimension is missing if it is left out or is not exactly quote, why and a whole score from 1 to 10 ("judge
    malformed"), or if its quote is not the target's ("quote not found"). Keys that were not asked for are left aside.
    """
    return {name: _verdict(sheet.root.get(name), texts) for name in names}


def _verdict(given: Any, texts: Sequence[str]) -> Verdict:
    if given is None:
        return Verdict(missing="judge malformed", why="the dimension is not in the reply")
    try:
        said = _Said.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        return Verdict(missing="judge malformed", why=f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    if not is_quoted(said.quote, texts):
        return Verdict(missing="quote not found", why=said.why, quote=said.quote)
    return Verdict(score=said.score, why=said.why, quote=said.quote)
