"""The tree of prompt prefixes whose keys and values are known: every distinct token is computed once.

Prompts that begin alike share nodes; a node is split where two prompts part. The tree outlives a batch, so a prompt
that comes back (another sample, the next turn of a conversation) is not computed again. Old leaves are dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from teachwhy.models.attention import Rules, causal_attention


@dataclass(eq=False)
class Node:
    """A run of tokens after its parent's: per layer keys and values ``[K, m, D]``, empty while not yet computed."""

    tokens: tuple[int, ...]
    parent: "Node | None"
    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    children: dict[int, "Node"] = field(default_factory=dict)
    used: int = 0

    @property
    def path(self) -> list["Node"]:
        """The nodes from the first token to this one (the empty top node left out)."""
        nodes, node = [], self
        while node.parent is not None:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]

    @property
    def start(self) -> int:
        """The position of the node's first token."""
        return sum(len(node.tokens) for node in self.path) - len(self.tokens)

    def bytes(self) -> int:
        return sum(x.numel() * x.element_size() for x in (*self.keys, *self.values))

    def split(self, at: int) -> "Node":
        """Cut the node in two; the first ``at`` tokens become a new parent, which is returned."""
        assert self.parent is not None
        first = Node(self.tokens[:at], self.parent, used=self.used)
        first.keys = [x[:, :at].clone() for x in self.keys]
        first.values = [x[:, :at].clone() for x in self.values]
        self.parent.children[first.tokens[0]] = first
        first.children[self.tokens[at]] = self
        self.keys, self.values = [x[:, at:].clone() for x in self.keys], [x[:, at:].clone() for x in self.values]
        self.tokens, self.parent = self.tokens[at:], first
        return first


class PrefixTree:
    """All known prefixes, at most ``limit`` bytes of them between batches."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.top = Node((), None)
        self._clock = 0

    def insert(self, tokens: Sequence[int], longest: int) -> Node:
        """The node that ends where ``tokens`` end; what is new is added, uncomputed, in runs of at most ``longest``."""
        self._clock += 1
        node, rest = self.top, tuple(tokens)
        while rest:
            child = node.children.get(rest[0])
            if child is None:
                child = node.children[rest[0]] = Node(rest[:longest], node)
            shared = common_length(child.tokens, rest)
            if shared < len(child.tokens):
                child = child.split(shared)
            child.used = self._clock
            node, rest = child, rest[shared:]
        return node

    def pending(self) -> list[list[Node]]:
        """Nodes without keys and values, level by level: a level needs only the ones before it."""
        levels: list[list[Node]] = []
        below = list(self.top.children.values())
        while below:
            levels.append([node for node in below if not node.keys])
            below = [child for node in below for child in node.children.values()]
        return [level for level in levels if level]

    def trim(self) -> None:
        """Drop the leaves that were used longest ago until the rest fits into ``limit`` bytes."""
        nodes = self._nodes()
        total = sum(node.bytes() for node in nodes)
        while total > self.limit:
            oldest = min((node for node in nodes if not node.children), key=lambda node: node.used)
            assert oldest.parent is not None
            del oldest.parent.children[oldest.tokens[0]]
            nodes.remove(oldest)
            total -= oldest.bytes()

    def clear(self) -> None:
        """Forget everything."""
        self.top = Node((), None)

    def _nodes(self) -> list[Node]:
        found, below = [], [self.top]
        while below:
            below = [child for node in below for child in node.children.values()]
            found += below
        return found


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences share at their beginning."""
    shortest = min(len(one), len(other))
    return next((i for i in range(shortest) if one[i] != other[i]), shortest)


def joined(nodes: Sequence[Node], layer: int) -> tuple[Tensor, Tensor]:
    """Keys and values ``[K, P, D]`` of a run of nodes in one layer."""
    if len(nodes) == 1:
        return nodes[0].keys[layer], nodes[0].values[layer]
    return torch.cat([n.keys[layer] for n in nodes], 1), torch.cat([n.values[layer] for n in nodes], 1)


class SegmentPlan:
    """One packed pass over several nodes side by side: each attends to its ancestors and, causally, to itself.

    The pass stores each node's keys and values in it.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.paths = [node.path for node in nodes]

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, rules: Rules) -> Tensor:
        outputs, begin = [], 0
        for node, path in zip(self.nodes, self.paths, strict=True):
            end = begin + len(node.tokens)
            node.keys.append(key[:, begin:end].contiguous())
            node.values.append(value[:, begin:end].contiguous())
            keys, values = joined(path, layer)
            outputs.append(causal_attention(query[:, begin:end], keys, values, rules))
            begin = end
        return torch.cat(outputs, dim=1).transpose(0, 1)
