"""The corpora that ship, loaded once."""

import pytest

from teachwhy.corpora.corpus import Corpus, corpus_names, load_corpus


@pytest.fixture(scope="session")
def shipped() -> dict[str, Corpus]:
    """Every corpus by name."""
    return {name: load_corpus(name) for name in corpus_names()}
