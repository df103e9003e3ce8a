"""The judge's verdicts, read strictly: each dimension stands or falls on its own."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from teachwhy.evals.assessment.dimensions import HIGHEST, LOWEST
from teachwhy.evals.assessment.fencing import is_quoted

_KEYS = {"quote", "why", "score"}
_BLOCK = re.compile(r"\A```(?:json)?[ \t]*\n(.*)\n```\Z", re.DOTALL)


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


def read_verdicts(reply: str, names: Sequence[str], texts: Sequence[str]) -> dict[str, Verdict]:
    """The verdicts of one reply.

    Args:
        reply: what the judge wrote: one JSON object, bare or in one code block.
        names: the dimensions that it was asked for.
        texts: what the target said, in which every quote must stand.

    A reply that is no such object makes all missing ("judge malformed"). Within one, a dimension is missing if it is
    left out, stands twice, or is not exactly quote, why and a whole score from 1 to 10 ("judge malformed"), or if its
    quote is not the target's ("quote not found"). Keys that were not asked for are left aside.
    """
    pairs = _object(reply)
    if pairs is None:
        return all_missing(names, "judge malformed", f"the reply is no JSON object: {reply[:80]!r}")
    return {name: _verdict([value for key, value in pairs if key == name], texts) for name in names}


def _object(reply: str) -> list[tuple[str, Any]] | None:
    """The pairs of the reply's object in order, twice the same key included; None if it is no object."""
    text = reply.strip()
    block = _BLOCK.match(text)
    try:
        parsed = json.loads(block[1] if block else text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):  # RecursionError: brackets nested without end
        return None
    return list(parsed) if isinstance(parsed, _Pairs) else None


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as its pairs: a dict would keep the last of two equal keys and say nothing."""


def _verdict(found: Sequence[Any], texts: Sequence[str]) -> Verdict:
    if len(found) != 1:
        return Verdict(missing="judge malformed", why=f"the dimension stands {len(found)} times in the reply")
    pairs = found[0]
    if not isinstance(pairs, _Pairs) or len(pairs) != len(_KEYS) or {key for key, _ in pairs} != _KEYS:
        return Verdict(missing="judge malformed", why="not exactly quote, why and score")
    return _checked(dict(pairs), texts)


def _checked(given: Mapping[str, Any], texts: Sequence[str]) -> Verdict:
    quote, why, score = given["quote"], given["why"], given["score"]
    if not isinstance(quote, str) or not isinstance(why, str):
        return Verdict(missing="judge malformed", why="quote and why must be text")
    if isinstance(score, bool) or not isinstance(score, int) or not LOWEST <= score <= HIGHEST:
        fault = f"the score {str(score)[:20]} is no whole number from {LOWEST} to {HIGHEST}"
        return Verdict(missing="judge malformed", why=fault, quote=quote)
    if not is_quoted(quote, texts):
        return Verdict(missing="quote not found", why=why, quote=quote)
    return Verdict(score=score, why=why, quote=quote)
