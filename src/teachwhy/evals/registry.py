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
    """One suite: ours, or a published test by its name.

    Raises:
        UserError: there is none of this name, or it is a published test and the package that holds it is not installed.
    """
    if name in suites():
        return suites()[name]
    from teachwhy.evals.capability.published import names, published

    if name not in names():
        raise UserError(f"unknown suite '{name}'", mend=nearest(name, [*suites(), *names()]))
    return published(name)
