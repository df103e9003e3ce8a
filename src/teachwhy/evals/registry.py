"""The suites that a study can declare by name."""

from functools import cache

from teachwhy.errors import UserError, nearest
from teachwhy.evals.suite import Suite


@cache
def suites() -> dict[str, Suite]:
    """Every suite by its name."""
    from teachwhy.evals.understanding.task import SUITE as understanding

    found = [understanding]
    return {suite.name: suite for suite in found}


def find_suite(name: str) -> Suite:
    """One suite.

    Raises:
        UserError: there is none of this name.
    """
    if name not in suites():
        raise UserError(f"unknown suite '{name}'", mend=nearest(name, suites()))
    return suites()[name]
