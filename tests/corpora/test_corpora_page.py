"""docs/corpora.md says what is so: its table and its thresholds are those of the code."""

import runpy
from pathlib import Path

import pytest
from corpora_help import corpus, varied

from teachwhy.corpora.audit import audit
from teachwhy.corpora.firewall import RUN, SIMILAR

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "corpora.md").read_text("utf-8")


def test_the_table_is_the_one_that_is_generated() -> None:
    made = runpy.run_path(str(DOCS / "make_corpora_table.py"))["page_with_table"](PAGE)
    assert made == PAGE, "run: python docs/make_corpora_table.py"


@pytest.mark.parametrize("check", audit(corpus(varied(3))).checks, ids=lambda check: check.name)
def test_the_thresholds_are_those_of_the_code(check) -> None:  # type: ignore[no-untyped-def]
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| {check.name} |")]
    assert len(rows) == 1
    assert f"| {check.threshold:g} |" in rows[0]


def test_the_rules_of_the_firewall_are_those_of_the_code() -> None:
    assert f"**{RUN} words**" in PAGE
    assert f"**{SIMILAR}** different runs" in PAGE
