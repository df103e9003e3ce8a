"""What a study will cost in time, before any of it is spent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from teachwhy.study.plan import Node, StudyPlan
from teachwhy.study.store import Store

# Measured with the embedded model (135M parameters, float32) on two AVX2 cores; docs/benchmarks.md. A machine's own
# finished nodes replace them.
TRAINED_TOKENS_PER_SECOND = 130.0
SAMPLES_PER_SECOND = {"eval": 1.2, "suite": 1.0}
SECONDS_A_NODE = {"train": 6.0, "eval": 5.0, "suite": 5.0}


@dataclass(frozen=True)
class Cost:
    """What a node will read and how long it will take. ``size`` is tokens for training and samples for measuring."""

    size: int
    seconds: float
    done: bool


def costs(plan: StudyPlan, store: Store) -> dict[str, Cost]:
    """The cost of every node by address; what lies in the store costs nothing more."""
    sizes = {node.address: _size(node, plan) for node in plan.nodes}
    finished = {n.address: meta for n in plan.nodes if (meta := store.meta(n.kind, n.address))}
    rates = {kind: _rate(kind, plan.nodes, sizes, finished) for kind in SECONDS_A_NODE}
    return {
        node.address: Cost(
            sizes[node.address],
            0.0 if node.address in finished else SECONDS_A_NODE[node.kind] + sizes[node.address] / rates[node.kind],
            node.address in finished,
        )
        for node in plan.nodes
    }


def _size(node: Node, plan: StudyPlan) -> int:
    if node.kind != "train":
        return node.answers
    from teachwhy.training.estimate import estimate

    assert plan.base.folder is not None
    return estimate(plan.base.folder, node.stages, node.settings, max(node.model.seed, 0)).tokens


def _rate(kind: str, nodes: Sequence[Node], sizes: dict[str, int], finished: dict[str, dict[str, float]]) -> float:
    """Size per second: of this store's finished nodes, or the known figure."""
    done: Iterable[Node] = [n for n in nodes if n.kind == kind and n.address in finished]
    seconds = sum(max(finished[n.address]["seconds"] - SECONDS_A_NODE[kind], 0.1) for n in done)
    if seconds > 10:
        return sum(sizes[n.address] for n in done) / seconds
    return TRAINED_TOKENS_PER_SECOND if kind == "train" else SAMPLES_PER_SECOND[kind]
