"""Generated corpora of a study: they are made before it is planned, and kept in the store under all that made them."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from teachwhy.corpora.publish import FILES
from teachwhy.corpora.recipes.build import Job, Progress, build, prepare
from teachwhy.corpora.recipes.spec import load_spec
from teachwhy.models.reach import check_models
from teachwhy.study.declaration import Study
from teachwhy.study.store import Store, storing

Announce = Callable[["Wanted"], Progress | None]


@dataclass(frozen=True)
class Wanted:
    """A declared corpus of a study. ``path``: its records, where they are made already."""

    name: str
    job: Job
    path: Path | None


def wanted(study: Study, store: Store) -> list[Wanted]:
    """The corpora of a study that a recipe makes (names that end in ``.yaml``), and which of them are there.

    Raises:
        CorpusError, TextError, ModelError: a declaration is wrong.
    """
    names = dict.fromkeys(lesson.corpus for lesson in study.lessons if lesson.corpus.endswith(".yaml"))
    found = []
    for name in names:
        job = prepare(load_spec(Path(name)))
        there = store.meta("corpus", job.address) is not None
        found.append(Wanted(name, job, _records(store, job) if there else None))
    return found


def _records(store: Store, job: Job) -> Path:
    return records_at(store, job.address)


def records_at(store: Store, address: str) -> Path:
    """Where the records of a generated corpus lie, by its address."""
    return store.path("corpus", address) / "records.jsonl"


def make_corpora(study: Study, store: Store, announce: Announce) -> None:
    """Make the corpora that are not there yet. A rerun goes on where it stopped.

    Args:
        announce: told of each corpus before it is made; what it gives is told of the progress.

    Raises: as ``build``.
    """
    missing = [corpus for corpus in wanted(study, store) if corpus.path is None]
    if missing:
        check_models(study.base, study.roles.values())  # before the corpora are paid for
    for corpus in missing:
        _make(corpus, store, announce(corpus))


def _make(corpus: Wanted, store: Store, progress: Progress | None) -> None:
    job = corpus.job
    desk = store.root / "corpus" / f".making-{job.address[:16]}"  # journals live here until the corpus is whole
    with store.lock("corpus", job.address), storing(desk):
        made = build(job, desk, name=Path(corpus.name).stem, progress=progress)
        meta = {"kind": "corpus", "name": corpus.name, "records": made.records}
        with store.making("corpus", job.address, meta) as folder:
            for part in (*FILES, "made.json"):
                shutil.copy2(desk / part, folder / part)
