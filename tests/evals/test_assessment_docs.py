"""docs/assessment.md says what the code does."""

import re
import runpy
from pathlib import Path
from typing import get_args

from assessment_cost import cost_rows

from teachwhy.evals.assessment.probe import ATTEMPTS, Missing
from teachwhy.evals.assessment.task import VERSION, Settings
from teachwhy.evals.judging import CAUSES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "assessment.md").read_text("utf-8")


def test_the_tables_are_up_to_date() -> None:
    made = runpy.run_path(str(DOCS / "make_assessment_tables.py"))["page_with_tables"](PAGE)
    assert made == PAGE, "run: python docs/make_assessment_tables.py"


def test_the_cost_is_what_is_counted(tmp_path: Path) -> None:
    table = PAGE.partition("<!-- cost:")[2].partition("<!-- end of cost -->")[0]
    assert table.strip().splitlines()[-3:] == cost_rows(tmp_path)


def test_every_cause_is_explained() -> None:
    causes = {*get_args(Missing), *CAUSES}
    for cause in causes:
        assert f"| `{cause}` |" in PAGE, cause


def test_every_setting_is_explained_with_its_default() -> None:
    for name, field in Settings.model_fields.items():
        line = re.search(rf"^\| `{name}` \|.*\|$", PAGE, re.MULTILINE)
        assert line, name
        if field.default is not None:
            shown = f"{field.default:,}" if isinstance(field.default, int) else str(field.default)
            assert line[0].endswith(f"| {shown} |"), name


def test_the_changes_reach_the_current_version_and_attempts_are_said() -> None:
    assert f"\n| {VERSION} |" in PAGE.partition("## Changes")[2]
    assert ATTEMPTS == 3
    assert "three times in all" in " ".join(PAGE.split())
