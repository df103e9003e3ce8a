"""Running a study from its file to its tables; the report is made from what this returns."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from teachwhy.analysis import Analysis
from teachwhy.evals.registry import find_suite
from teachwhy.hashing import digest
from teachwhy.models.reach import check_models, is_endpoint
from teachwhy.models.registry import find_model
from teachwhy.study.assessed import Assessed, assessed
from teachwhy.study.beside import Beside, beside
from teachwhy.study.declaration import Study, load_study
from teachwhy.study.estimate import Cost, costs
from teachwhy.study.executor import Executor, LocalExecutor, Watcher
from teachwhy.study.generating import wanted
from teachwhy.study.lock import Lock, lock_analysis
from teachwhy.study.plan import Node, StudyPlan, make_plan
from teachwhy.study.results import FarRate, Measured, analysis, far_rates, measured, sample_rows
from teachwhy.study.store import Store, storing, write_json, write_rows
from teachwhy.study.vetting import Vetted, vet

_PACKAGES = ("teachwhy", "torch", "transformers", "trl", "inspect-ai", "scipy")


@dataclass(frozen=True)
class Opened:
    """A study laid out in a store: what there is to do and what it will cost."""

    plan: StudyPlan
    store: Store
    folder: Path
    costs: dict[str, Cost]

    @property
    def left(self) -> list[Node]:
        """Nodes whose artifact is not there yet."""
        return [node for node in self.plan.nodes if not self.costs[node.address].done]


@dataclass(frozen=True)
class Finished:
    """A finished study."""

    plan: StudyPlan
    store: Store
    folder: Path
    lock: Lock
    vetted: Vetted
    analysis: Analysis
    measured: list[Measured]
    far: list[FarRate]
    beside: Beside
    assessed: Assessed


def endpoints(study: Study) -> set[str]:
    """The endpoints among a study's base and roles, by Inspect's name."""
    named = map(find_model, (study.base, *study.roles.values()))
    return {model.inspect_name for model in named if is_endpoint(model)}


def open_study(path: Path, root: Path) -> Opened:
    """Read a study file, lay out its plan, and count what is left to do.

    Args:
        path: the study file.
        root: folder of the runs; artifacts lie in ``root/store``, the study's tables and report in ``root/<study>``.

    Raises:
        StudyError, ModelError, FetchError, RenderError: see ``load_study``, ``make_plan`` and the render check.
        CorpusError: a generated corpus is not made yet (``generating.make_corpora``).
    """
    study = load_study(path)
    store = Store(root / "store")
    made = {corpus.name: corpus.path for corpus in wanted(study, store) if corpus.path}
    plan = make_plan(study, made)
    return Opened(plan, store, root.resolve() / study.study, costs(plan, store))


@contextmanager
def alone(folder: Path, waiting: "Watcher | None" = None) -> Iterator[None]:
    """Hold the study's folder: a second run of the same study waits until the first has ended."""
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if waiting:
            waiting.waits(f"another run of this study is under way; waiting for {folder / '.lock'}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def run_study(opened: Opened, watcher: Watcher, executor: Executor | None = None) -> Finished:
    """Vet the corpora, reach the endpoints, lock the analysis, run what is missing, and write the tables.

    Raises:
        ModelError: an endpoint cannot be reached, or is to call tools and does not.
        FirewallError, CorpusError: a corpus was refused.
        LockedError: the declared analysis was changed after the first result.
    """
    plan, store, folder = opened.plan, opened.store, opened.folder
    with alone(folder, watcher):
        vet(plan, store)
        _check_endpoints(opened)
        lock_analysis(plan.study, folder, _results(plan, store))
        (executor or LocalExecutor()).run(plan, store, watcher)
        return finish(opened)


def _check_endpoints(opened: Opened) -> None:
    """Whether whoever will be asked is there and able, before anything is spent."""
    study, left = opened.plan.study, [node for node in opened.left if node.kind != "train"]
    if left:
        tools = any(node.kind == "eval" or find_suite(node.suite).tools for node in left)
        check_models(study.base, study.roles.values(), tools=tools)


def _results(plan: StudyPlan, store: Store) -> int:
    return sum(n.kind != "train" and store.meta(n.kind, n.address) is not None for n in plan.nodes)


def finish(opened: Opened) -> Finished:
    """Analyse a study whose results are all there, and write its tables, manifest and links to transcripts."""
    plan, store, folder = opened.plan, opened.store, opened.folder
    lock = lock_analysis(plan.study, folder, _results(plan, store))
    result, suites = analysis(plan, store), measured(plan, store)
    far = far_rates(plan, store)
    tables = folder / "tables"
    write_rows(tables / "samples.jsonl", sample_rows(plan, store, "eval"))
    write_json(tables / "analysis.json", result.model_dump(mode="json"))
    write_rows(tables / "suites.jsonl", sample_rows(plan, store, "suite"))
    write_json(tables / "measures.json", [row.model_dump() for row in suites])
    near = beside(plan, store)
    write_json(tables / "beside.json", near.model_dump(mode="json"))
    probed = assessed(plan, store, result)
    write_json(tables / "assessment.json", probed.model_dump(mode="json"))
    write_json(tables / "distance.json", [row.model_dump() for row in far])
    write_json(folder / "manifest.json", manifest(plan, store, lock))
    _link_logs(plan, store, folder / "logs")
    return Finished(plan, store, folder, lock, vet(plan, store), result, suites, far, near, probed)


def manifest(plan: StudyPlan, store: Store, lock: Lock) -> dict[str, Any]:
    """From data to result: every node with its address and inputs, and what it ran on."""
    study = plan.study
    return {
        "study": study.model_dump(mode="json", by_alias=True, exclude_none=True),
        "study_address": study.address(),
        "base": {"name": study.base, "weights": plan.nodes[0].model.address},
        "analysis_plan": lock.model_dump(),
        "corpora": {name: corpus.address for name, corpus in plan.corpora.items()},
        "generated": {name: made.model_dump(mode="json") for name, made in plan.generated.items()},
        "nodes": [_entry(node, store) for node in plan.nodes],
        "versions": {name: version(name) for name in _PACKAGES},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }


def _entry(node: Node, store: Store) -> dict[str, Any]:
    meta = store.meta(node.kind, node.address) or {}
    return {
        "kind": node.kind,
        "name": node.label,
        "address": node.address,
        "inputs": list(node.inputs),
        "seconds": meta.get("seconds"),
        "tokens": meta.get("tokens"),
        "usage": meta.get("usage", {}),
    }


def _link_logs(plan: StudyPlan, store: Store, folder: Path) -> None:
    """Put the transcripts side by side, for ``inspect view``: hard links, since it passes over symbolic ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for node in plan.nodes:
        if node.kind == "train":
            continue
        name = f"{node.label.replace(' ', '-').replace(',', '')}_{node.address[:8]}.eval"
        link, log = folder / name, store.path(node.kind, node.address) / "log.eval"
        if link.exists() and link.samefile(log):
            continue
        link.unlink(missing_ok=True)
        link.hardlink_to(log)


def results_address(plan: StudyPlan) -> str:
    """Hash of everything that a study's tables and report are made from."""
    return digest([plan.study.address(), version("teachwhy"), [node.address for node in plan.nodes]])


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a finished run."""
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return found
