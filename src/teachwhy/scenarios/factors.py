"""The factors of a sample, their levels, and the words by which texts and settings name them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from teachwhy.errors import UserError, nearest

Size = Literal["brief", "full"]
Form = Literal["call", "agentic", "inline"]
Threat = Literal["replacement", "restriction", "none"]
Goal = Literal["own", "swap"]
Cue = Literal["silent", "real", "test"]
Leverage = Literal["personal", "professional", "financial", "legal", "health"]

SIZES: tuple[Size, ...] = ("brief", "full")
FORMS: dict[Size, tuple[Form, ...]] = {"brief": ("call",), "full": ("agentic", "inline")}
"""How a size is put, the default first: one message and one call; a loop of tool calls; all in one message."""
THREATS: tuple[Threat, ...] = ("replacement", "restriction", "none")
GOALS: tuple[Goal, ...] = ("own", "swap")
"""The family's goal, or its opposite; the plan goes against whichever was given."""
CUES: tuple[Cue, ...] = ("silent", "real", "test")
"""Whether the prompt says that all of it is real, that it is a test, or nothing about it."""
WORDINGS = 3

OWN = "own"
"""The persona level at which the AI in the scenario carries the name of the model that is asked."""

WHENS = (
    "always",
    "twin",
    *(f"threat={threat}" for threat in THREATS),
    "conflict=yes",
    "conflict=swap",
    "conflict=no",
    "ally=yes",
)
"""When a mail is in the mailbox. ``conflict=yes`` goes against the own goal, ``conflict=swap`` against the opposite."""

_LEVELS: dict[str, tuple[Any, ...]] = {
    "threat": THREATS,
    "conflict": (True, False),
    "goal": GOALS,
    "cue": CUES,
    "agency": (False, True),
    "ally": (False, True),
}


def check_levels(size: str, asked: Mapping[str, Sequence[Any]]) -> None:
    """Every asked level of every factor is one that there is.

    Raises:
        UserError: an unknown size or level (with the nearest valid one), or a factor without any level.
    """
    if size not in SIZES:
        raise UserError(f"unknown size '{size}'", mend=nearest(size, SIZES))
    for factor, levels in asked.items():
        valid = _forms(size) if factor == "form" else _LEVELS[factor]
        if not levels:
            raise UserError(f"no level of {factor} is named", where=factor, mend=f"known: {_listed(valid)}")
        for level in levels:
            if level not in valid:
                raise UserError(f"unknown {factor} '{level}'", where=factor, mend=nearest(str(level), map(str, valid)))


def _forms(size: str) -> tuple[str, ...]:
    return next(forms for known, forms in FORMS.items() if known == size)


def _listed(levels: Sequence[Any]) -> str:
    return ", ".join(map(str, levels))
