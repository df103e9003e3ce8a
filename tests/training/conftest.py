"""A tiny model, small corpora, and quick settings: real training steps in well under a second."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from training_records import chat, document

from teachwhy.corpora.records import Record
from teachwhy.models.tiny import tiny_model
from teachwhy.training.plan import Settings, Stage
from teachwhy.training.render import Served, served


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """The tiny model is too small to be shared between threads: waiting for one another is most of their work.

    After each training the trainer collects garbage, mostly in vain and through all of torch: that is spared too.
    """
    import torch

    import teachwhy.training.learner  # noqa: F401

    gc.collect()
    gc.freeze()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    gc.unfreeze()


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="session")
def model(base: Path) -> Served:
    return served(base)


@pytest.fixture(scope="session")
def chats() -> list[Record]:
    return [chat(number) for number in range(24)]


@pytest.fixture(scope="session")
def documents() -> list[Record]:
    return [document(number) for number in range(12)]


@pytest.fixture(scope="session")
def stages(chats: list[Record], documents: list[Record]) -> list[Stage]:
    """Documents, then conversations: 3 and 6 steps with the quick settings."""
    return [
        Stage(corpus="stories", form="documents", records=documents),
        Stage(corpus="talks", form="chat", records=chats),
    ]


@pytest.fixture(scope="session")
def quick() -> Settings:
    return Settings(learning_rate=1e-2, warmup=0.0, batch_records=4, window=2)
