"""The suites that a study can declare by name."""

from functools import cache
from importlib import import_module

from teachwhy.errors import UserError, nearest
from teachwhy.evals.suite import Suite

_HOMES = (
    "teachwhy.evals.honeypots.likelihood",
    "teachwhy.evals.understanding.task",
    "teachwhy.evals.assessment.task",
    "teachwhy.evals.capability.over_refusal",
    "teachwhy.evals.capability.harmful_compliance",
    "teachwhy.evals.capability.instructions",
    "teachwhy.evals.capability.knowledge",
    "teachwhy.evals.capability.perplexity",
)


@cache
def suites() -> dict[str, Suite]:
    """Every suite by its name."""
    found: list[Suite] = [import_module(home).SUITE for home in _HOMES]
    return {suite.name: suite for suite in found}


def find_suite(name: str) -> Suite:
    """One suite.

    Raises:
        UserError: there is none of this name.
    """
    if name not in suites():
        raise UserError(f"unknown suite '{name}'", mend=nearest(name, suites()))
    return suites()[name]
