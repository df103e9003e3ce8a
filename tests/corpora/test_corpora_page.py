"""docs/corpora.md says what is so: its table and its thresholds are those of the code."""

import runpy
from pathlib import Path

import pytest

from teachwhy.corpora.audit import RULES
from teachwhy.corpora.firewall import RUN, SHORT, SHORT_SHARE, SIMILAR

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "corpora.md").read_text("utf-8")


def test_the_table_is_the_one_that_is_generated() -> None:
    made = runpy.run_path(str(DOCS / "make_corpora_table.py"))["page_with_table"](PAGE)
    assert made == PAGE, "run: python docs/make_corpora_table.py"


@pytest.mark.parametrize("name", list(RULES))
def test_the_thresholds_are_those_of_the_code(name: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| {name} |")]
    assert len(rows) == 1
    threshold = RULES[name].threshold
    assert f"| {'—' if threshold is None else f'{threshold:g}'} |" in rows[0]
    least = PAGE.index("| check | at least |") < PAGE.index(rows[0])
    assert least == RULES[name].least


def test_the_rules_of_the_firewall_are_those_of_the_code() -> None:
    assert f"**{RUN} words**" in PAGE
    assert f"**{SIMILAR}** different runs" in PAGE
    assert f"**{SHORT}** that are {SHORT_SHARE}" in PAGE
