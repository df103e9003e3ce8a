"""The table of laws names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_law_is_held_by_tests_that_exist() -> None:
    page = (ROOT / "docs" / "laws.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| \d+\.", line)]
    assert len(rows) == 10
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)`", row)
        assert named, row
        assert all((ROOT / name).is_file() for name in named), row
