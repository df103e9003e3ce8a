"""docs/evaluations.md says what the code does."""

import runpy
from pathlib import Path

from teachwhy.evals.honeypots.likelihood import LIKELIHOOD_VERSION
from teachwhy.evals.honeypots.task import VERSION

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "evaluations.md").read_text("utf-8")


def test_the_families_table_is_up_to_date() -> None:
    made = runpy.run_path(str(DOCS / "make_tables.py"))["page_with_tables"](PAGE)
    assert made == PAGE, "run: python docs/make_tables.py"


def test_the_changes_reach_the_current_versions() -> None:
    _, honeypots, likelihood = PAGE.partition("### Changes")[2].split("| what changed |")
    assert f"\n| {VERSION} |" in honeypots
    assert f"\n| {LIKELIHOOD_VERSION} |" in likelihood


def test_all_causes_are_explained() -> None:
    for cause in ("error", "cut off", "malformed call", "unclear"):
        assert f"| `{cause}` |" in PAGE
