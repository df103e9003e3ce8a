"""One batch of rows being decoded together: what they share, what each has said, and who has finished."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from teachwhy.models.attention import DecodePlan, Leaves, Root, Suffix
from teachwhy.models.prefixes import Node, joined
from teachwhy.models.sampling import draw, make_settings

Finish = Literal["stop", "length"]


@dataclass(frozen=True)
class Request:
    """What to write.

    Args:
        prompt: token ids, at least one.
        max_new_tokens: at most so many tokens are drawn.
        seed: any integer; the draws depend on it and on the position in the sequence only.
        temperature: 0 takes the likeliest token.
        top_p: keep the smallest set of tokens with this mass (1: all).
        top_k: keep so many of the likeliest tokens (0: all).
        stop: texts that end the reply; they are not part of it.
        logprobs: None for no log-probabilities, else how many likeliest tokens to report at each position.
    """

    prompt: tuple[int, ...]
    max_new_tokens: int = 256
    seed: int = 0
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    stop: tuple[str, ...] = ()
    logprobs: int | None = None


@dataclass(frozen=True)
class Completion:
    """What was written.

    ``tokens`` are all tokens drawn, with the end-of-turn token if one was; ``text`` is without it and without control
    tokens. ``logprobs`` are those of the drawn tokens under the model itself (temperature 1, nothing cut off) in nats;
    ``top_logprobs`` are (token, log-probability) pairs, likeliest first.
    """

    tokens: tuple[int, ...]
    text: str
    finish: Finish
    logprobs: tuple[float, ...] | None = None
    top_logprobs: tuple[tuple[tuple[int, float], ...], ...] | None = None


@dataclass
class Row:
    """One request while it is being decoded."""

    request: Request
    index: int
    group: int
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    top: list[tuple[tuple[int, float], ...]] = field(default_factory=list)
    finish: Finish | None = None
    text: str | None = None

    @property
    def newest(self) -> int:
        """The token to feed next: the last one drawn, and the last of the prompt before that."""
        return self.tokens[-1] if self.tokens else self.request.prompt[-1]

    @property
    def position(self) -> int:
        """The position of ``newest`` in the sequence."""
        return len(self.request.prompt) - 1 + len(self.tokens)


class Batch:
    """The tensors of a batch. Row i of every tensor belongs to ``rows[i]``; finished rows are taken out."""

    def __init__(self, rows: Sequence[Row], prefixes: Sequence[Node], device: torch.device) -> None:
        """``prefixes[g]`` is the computed node that holds all but the last prompt token of group g's rows."""
        self.rows, self.device = list(rows), device
        paths = [node.path for node in prefixes]
        depth = _shared_depth(paths)
        self.root = _root(paths[0][:depth])
        self.leaves = _leaves([path[depth:] for path in paths], self.root.length if self.root else 0, device)
        self.suffix = Suffix([], [])
        self._arrange()

    def step(self, model: Any) -> None:
        """Feed every row's newest token, draw the next one and note it."""
        positions = [row.position for row in self.rows]
        where = torch.tensor(positions, device=self.device)
        newest = torch.tensor([[row.newest for row in self.rows]], device=self.device)
        self.suffix.length += 1
        plan = DecodePlan(self.root, self.leaves, self.suffix, where, max(positions))
        out = model(input_ids=newest, position_ids=where[None], use_cache=False, attention_plan=plan)
        logits = out.logits[0].float().contiguous()
        drawn = draw(logits, self.settings, where)
        self._note(logits, drawn)

    def take_out(self) -> list[Row]:
        """Remove the finished rows and return them. Few stay in until there are enough to be worth the copying."""
        done = [row for row in self.rows if row.finish is not None]
        if len(done) < len(self.rows) and len(done) * 8 < len(self.rows):
            return []
        keep = torch.tensor([i for i, row in enumerate(self.rows) if row.finish is None], device=self.device)
        self.rows = [row for row in self.rows if row.finish is None]
        if self.rows:
            self.suffix.keys = [x.index_select(0, keep) for x in self.suffix.keys]
            self.suffix.values = [x.index_select(0, keep) for x in self.suffix.values]
            self._drop_groups()
            self._arrange()
        return done

    def _note(self, logits: Tensor, drawn: Tensor) -> None:
        for row, token in zip(self.rows, drawn.tolist(), strict=True):
            if row.finish is None:
                row.tokens.append(token)
        wanted = [i for i, row in enumerate(self.rows) if row.finish is None and row.request.logprobs is not None]
        if not wanted:
            return
        logprobs = torch.log_softmax(logits[wanted], dim=-1)
        most = max(self.rows[i].request.logprobs or 0 for i in wanted)
        values, tokens = (x.tolist() for x in logprobs.topk(max(most, 1), dim=-1))
        own = logprobs.gather(1, drawn[wanted][:, None])[:, 0].tolist()
        for i, logprob, best, ids in zip(wanted, own, values, tokens, strict=True):
            row = self.rows[i]
            row.logprobs.append(logprob)
            row.top.append(tuple(zip(ids, best, strict=True))[: row.request.logprobs])

    def _arrange(self) -> None:
        """Everything that depends on which rows there are."""
        requests = [row.request for row in self.rows]
        self.settings = make_settings([(r.seed, r.temperature, r.top_p, r.top_k) for r in requests], self.device)
        if self.leaves is not None:
            slots, places = _slots([row.group for row in self.rows], self.device)
            self.leaves.slots, self.leaves.places = slots, places

    def _drop_groups(self) -> None:
        """Forget the groups whose rows have all finished and number the others anew."""
        left = sorted({row.group for row in self.rows})
        number = {group: i for i, group in enumerate(left)}
        for row in self.rows:
            row.group = number[row.group]
        if self.leaves is not None and len(left) < len(self.leaves.lengths):
            keep = torch.tensor(left, device=self.device)
            self.leaves.keys = [x.index_select(0, keep) for x in self.leaves.keys]
            self.leaves.values = [x.index_select(0, keep) for x in self.leaves.values]
            self.leaves.lengths = self.leaves.lengths[keep]


def _shared_depth(paths: Sequence[Sequence[Node]]) -> int:
    """How many nodes all paths begin with."""
    depth = 0
    while all(len(path) > depth for path in paths) and len({id(path[depth]) for path in paths}) == 1:
        depth += 1
    return depth


def _root(nodes: Sequence[Node]) -> Root | None:
    if not nodes:
        return None
    pairs = [joined(nodes, layer) for layer in range(len(nodes[0].keys))]
    return Root([keys.transpose(1, 2).contiguous() for keys, _ in pairs], [values for _, values in pairs])


def _leaves(paths: Sequence[Sequence[Node]], start: int, device: torch.device) -> Leaves | None:
    """The groups' own prefixes, padded to the longest; none where every path ends with the root."""
    lengths = [sum(len(node.tokens) for node in path) for path in paths]
    if not max(lengths):
        return None
    example = next(path for path in paths if path)
    keys, values = [], []
    for layer in range(len(example[0].keys)):
        heads, _, width = example[0].keys[layer].shape
        k = example[0].keys[layer].new_empty(len(paths), heads, width, max(lengths))
        v = example[0].values[layer].new_empty(len(paths), heads, max(lengths), example[0].values[layer].shape[2])
        for group, (path, length) in enumerate(zip(paths, lengths, strict=True)):
            if path:
                own_keys, own_values = joined(path, layer)
                k[group, ..., :length], v[group, :, :length] = own_keys.transpose(1, 2), own_values
            k[group, ..., length:], v[group, :, length:] = 0, 0
        keys.append(k)
        values.append(v)
    nothing = torch.zeros(0, dtype=torch.int64, device=device)
    return Leaves(keys, values, torch.tensor(lengths, device=device), start, nothing, nothing)


def _slots(groups: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor]:
    """The row in each group's place, group by group, and each row's place (see ``Leaves``)."""
    members = [[row for row, own in enumerate(groups) if own == group] for group in range(max(groups) + 1)]
    most = max(len(rows) for rows in members)
    slots, places = [0] * (len(members) * most), [0] * len(groups)
    for group, rows in enumerate(members):
        for i, row in enumerate(rows):
            slots[group * most + i], places[row] = row, group * most + i
    return torch.tensor(slots, device=device), torch.tensor(places, device=device)
