"""docs/understanding.md says what the code does."""

import re
from pathlib import Path

from understanding_help import house

from teachwhy.evals.judging import CAUSES
from teachwhy.evals.understanding.bank import TYPES, load_bank, section_hash
from teachwhy.evals.understanding.settings import VERSION, Settings
from teachwhy.evals.understanding.task import MEASURES

DOCS = Path(__file__).parents[2] / "docs" / "understanding.md"
PAGE = DOCS.read_text("utf-8")
SOURCES = Path(__file__).parents[2] / "src" / "teachwhy" / "evals" / "understanding"


def test_the_page_names_every_setting_measure_type_and_version() -> None:
    named = set(re.findall(r"`([a-z_-]+)`", PAGE))
    assert set(Settings.model_fields) | set(MEASURES) | set(TYPES) <= named
    assert f"\n| {VERSION} |" in PAGE.partition("| understanding | what changed |")[2]


def test_every_cause_of_a_missing_value_is_explained() -> None:
    code = "".join((SOURCES / name).read_text("utf-8") for name in ("task.py", "judge.py"))
    causes = set(re.findall(r'Judged\(None, "([a-z ]+)"', code)) | {*CAUSES} - {"quote not found"} | {"no reply"}
    assert all(f"`{cause}`" in PAGE for cause in causes)


def test_the_example_of_a_bank_is_read(tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    [example] = re.findall(r"```markdown\n(.*?)```", PAGE, re.DOTALL)
    text = example.replace("candour", "lamp").replace("1b0c92d1e6f0a37c", section_hash(constitution.section("lamp")))
    (tmp_path / "bank.md").write_text(text.replace("…64 hex digits…", constitution.address), "utf-8")
    bank = load_bank(tmp_path / "bank.md", constitution)
    assert [question.type for question in bank.questions] == list(TYPES)
    assert bank.stale == ()
