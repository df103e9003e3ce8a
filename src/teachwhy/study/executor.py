"""Executors run a plan's nodes. The local one takes them in order; another may run independent ones at once."""

from typing import Any, Protocol

from teachwhy.study.plan import Node, StudyPlan
from teachwhy.study.store import Store
from teachwhy.study.work import perform


class Watcher(Protocol):
    """Who is told how a run goes."""

    def waits(self, why: str) -> None: ...

    def begins(self, node: Node) -> None: ...

    def ticks(self, node: Node, done: int, of: int, loss: float) -> None: ...

    def ends(self, node: Node, meta: dict[str, Any]) -> None: ...


class Executor(Protocol):
    """Runs every node of a plan whose artifact is not in the store; inputs come before what needs them."""

    def run(self, plan: StudyPlan, store: Store, watcher: Watcher) -> None: ...


class LocalExecutor:
    """One node after the other, in this process."""

    def run(self, plan: StudyPlan, store: Store, watcher: Watcher) -> None:
        for node in plan.nodes:
            if meta := store.meta(node.kind, node.address):
                watcher.ends(node, meta)
                continue
            watcher.begins(node)

            def tick(done: int, of: int, loss: float, node: Node = node) -> None:
                watcher.ticks(node, done, of, loss)

            watcher.ends(node, perform(node, plan, store, tick))
