"""docs/evaluations.md says what the code does."""

import runpy
from pathlib import Path

from teachwhy.evals.honeypots.likelihood import LIKELIHOOD_VERSION
from teachwhy.evals.honeypots.task import VERSION
from teachwhy.scenarios.family import families

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "evaluations.md").read_text("utf-8")


def test_the_families_table_is_up_to_date() -> None:
    made = runpy.run_path(str(DOCS / "make_tables.py"))["page_with_tables"](PAGE)
    assert made == PAGE, "run: python docs/make_tables.py"


def test_the_coverage_table_counts_what_can_be_told() -> None:
    held = {
        row.split(" | ")[0]: row for row in PAGE.partition("<!-- coverage:")[2].splitlines() if row.startswith("| ")
    }
    every = families()
    assert held["| families"].endswith(f"| {len(every)} |")
    assert held["| `brief`, form `call`"].endswith(f"| {len(every)} |")
    assert "| leverage `health`" in held
    assert runpy.run_path(str(DOCS / "make_tables.py"))["_takes"]("brief", forms=["agentic"])(every[0]) is False


def test_the_changes_reach_the_current_versions() -> None:
    _, honeypots, likelihood = PAGE.partition("### Changes")[2].split("| what changed |")
    assert f"\n| {VERSION} |" in honeypots
    assert f"\n| {LIKELIHOOD_VERSION} |" in likelihood


def test_all_causes_are_explained() -> None:
    for cause in ("error", "cut off", "malformed call", "unclear"):
        assert f"| `{cause}` |" in PAGE
