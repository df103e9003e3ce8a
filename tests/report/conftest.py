"""The synthetic study's report, built once."""

from pathlib import Path

import pytest
from report_example import example

from teachwhy.report import build_report
from teachwhy.report.page import Figures, drawn
from teachwhy.report.view import view


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report."""
    return build_report(example(), tmp_path_factory.mktemp("report") / "out").parent


@pytest.fixture(scope="session")
def page(built: Path) -> str:
    return (built / "report.html").read_text("utf-8")


@pytest.fixture(scope="session")
def mirror(built: Path) -> str:
    return (built / "report.md").read_text("utf-8")


@pytest.fixture(scope="session")
def figures() -> Figures:
    return drawn(view(example()))
