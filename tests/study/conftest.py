"""One undisturbed run of the quick study, shared."""

import os
from pathlib import Path

import pytest
from study_files import make_base, quick, run_all, write_study

SECRET = "sk-a-key-that-must-not-be-written-anywhere"


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def study_file(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"), quick(base))


@pytest.fixture(scope="session")
def undisturbed(study_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs folder of a finished quick study."""
    root = tmp_path_factory.mktemp("undisturbed")
    os.environ["OPENAI_API_KEY"] = SECRET
    run_all(study_file, root)
    return root
