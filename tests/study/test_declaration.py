"""A study file that cannot be run says what is wrong, where, and how to mend it (law 8)."""

from pathlib import Path
from typing import Any

import pytest
from study_files import quick, write_study

from teachwhy.errors import StudyError
from teachwhy.scenarios.family import KINDS
from teachwhy.study.declaration import load_study

BASE = Path("models/none")


def refused(tmp_path: Path, study: dict[str, Any]) -> StudyError:
    with pytest.raises(StudyError) as caught:
        load_study(write_study(tmp_path, study))
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(
    ("change", "what", "mend"),
    [
        ({"seads": [1]}, "unknown key 'seads'", "did you mean 'seeds'"),
        ({"analysis": {"compare": [["actoins", "benign"]]}}, "unknown name 'actoins'", "did you mean 'actions'"),
        ({"arms": {"a": [{"corpus": "generic-chap"}]}}, "unknown name 'actions'", "known"),
        ({"evals": {"honeypot": {}}}, "unknown key 'evals.honeypot'", "did you mean 'honeypots'"),
        ({"evals": {"honeypots": {"kinds": ["blackmial"]}}}, "unknown name 'blackmial'", "did you mean 'blackmail'"),
        ({"evals": {"honeypots": {"split": "heldout"}}}, "unknown name 'heldout'", "did you mean 'held-out'"),
        ({"evals": {"twins": {}}}, "honeypots", ""),
        ({"seeds": []}, "seeds", ""),
        ({"seeds": [1, 1]}, "seeds", ""),
        ({"seeds": [0, -1]}, "'seeds': the seed -1 is below 0", ""),
        ({"analysis": {"compare": [["base", "base"]]}}, "'analysis.compare': 'base' is compared with itself", ""),
        (
            {"analysis": {"compare": [["actions", "benign"], ["actions", "benign"]]}},
            "'analysis.compare': the comparison of 'actions' with 'benign' stands twice",
            "",
        ),
        ({"study": "My Study"}, "folder", ""),
        ({"arms": {"base": [{"corpus": "generic-chat"}]}}, "cannot name an arm", ""),
        ({"arms": {"a": []}}, "taught nothing", ""),
        ({"audit": {"skipp": []}}, "unknown key 'audit.skipp'", "did you mean 'skip'"),
        ({"audit": {"skip": ["emdash"]}}, "unknown name 'emdash'", "did you mean 'em-dash'"),
        ({"audit": {"alike": [["generic-chat", "generic-chap"]]}}, "'generic-chap'", "did you mean 'generic-chat'"),
        ({"training": {"learning_rte": 1}}, "unknown key 'training.learning_rte'", "learning_rate"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, change: dict[str, Any], what: str, mend: str) -> None:
    error = refused(tmp_path, quick(BASE) | change)
    assert what in error.what
    assert mend in (error.mend or "")
    assert "study.yaml" in (error.where or "")


def test_an_unknown_corpus_names_the_nearest(tmp_path: Path) -> None:
    study = quick(BASE)
    study["arms"]["benign"] = [{"corpus": "generic-chap"}]
    assert "did you mean 'generic-chat'" in (refused(tmp_path, study).mend or "")


def test_a_missing_corpus_file_is_named(tmp_path: Path) -> None:
    study = quick(BASE)
    study["arms"]["benign"] = [{"corpus": "gone.jsonl"}]
    assert "gone.jsonl" in (refused(tmp_path, study).where or "")


def test_a_file_that_is_no_mapping_or_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    for text in ("- a\n- b\n", "a: [1\n", "study: 2024-13-45\n"):
        path.write_text(text)
        with pytest.raises(StudyError):
            load_study(path)


@pytest.mark.parametrize(("said", "tokens"), [("30k", 30_000), ("1.5m", 1_500_000), (250, 250), ("2_000", 2000)])
def test_doses_read_as_people_write_them(tmp_path: Path, said: Any, tokens: int) -> None:
    study = quick(BASE)
    study["arms"]["benign"] = [{"corpus": "generic-chat", "tokens": said}]
    assert load_study(write_study(tmp_path, study)).arms["benign"][0].tokens == tokens


def test_an_empty_evaluation_means_its_defaults(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, quick(BASE) | {"evals": {"honeypots": None, "twins": {}}}))
    assert study.evals.honeypots is not None
    assert study.evals.twins is not None
    assert study.evals.honeypots.kinds == KINDS


def test_the_shipped_studies_are_sound() -> None:
    for path in sorted((Path(__file__).parents[2] / "studies").glob("*.yaml")):
        assert load_study(path).study == path.stem


def test_checks_are_named_with_spaces_or_hyphens(tmp_path: Path) -> None:
    study = quick(BASE) | {"audit": {"skip": ["exact-duplicates", "near duplicates"]}}
    assert load_study(write_study(tmp_path, study)).audit.skip == ("exact-duplicates", "near duplicates")
