"""Attention that reads a shared prompt prefix once for all rows of a batch.

Every forward pass is packed: token ids are ``[1, T]``, and a *plan* says what each of the T tokens may attend to. The
plan travels through transformers as the keyword ``attention_plan`` to the function registered here under ``NAME``.

Letters in shapes: T tokens of the pass, n rows being decoded, H query heads, K key heads, g = H / K, D head width,
P prefix tokens, m tokens of one segment, t tokens generated so far, G prompt groups, R most rows in one group.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface

from teachwhy.errors import ModelError

NAME = "teachwhy_shared_prefix"
_FIRST_ROOM = 128  # tokens for which a batch's own keys and values are allocated at first; doubled when full
_LOWEST = -80.0  # exp of less is nothing beside 1 in float32, and MKL takes 40 times longer for it
HIDDEN = -1e30  # the score of a key that may not be seen: finite, so that a wholly hidden part weighs nothing


@dataclass(frozen=True)
class Rules:
    """What a layer asks of its attention: the scale of scores, the sliding window in tokens, the soft cap of scores."""

    scaling: float
    window: int | None = None
    softcap: float | None = None


class Plan(Protocol):
    """Who attends to what in one packed pass."""

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, rules: Rules) -> Tensor:
        """Query ``[H, T, D]``, key and value ``[K, T, D]`` of this pass's tokens -> output ``[T, H, D]``."""
        ...


def packed_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    attention_plan: Plan | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """The attention function that transformers calls in each layer (``[1, H, T, D]`` -> ``[1, T, H, D]``)."""
    strange = [name for name in ("s_aux", "position_bias") if others.get(name) is not None]
    if attention_plan is None or attention_mask is not None or strange:
        raise ModelError(
            "the local engine cannot run this architecture",
            where=type(module).__name__,
            mend="serve the model with vLLM and name it vllm/...",
        )
    rules = Rules(scaling if scaling is not None else query.shape[-1] ** -0.5, sliding_window, softcap)
    layer = int(module.layer_idx)  # type: ignore[arg-type]
    return attention_plan.attend(layer, query[0], key[0], value[0], rules)[None], None


AttentionInterface.register(NAME, packed_attention)


@dataclass(frozen=True)
class Part:
    """Attention over some of the keys, not yet normalised: merge parts by their scores' maximum and mass.

    ``out [..., D]`` is the sum of exp(score - top) * value, ``mass [..., 1]`` the sum of exp(score - top).
    """

    out: Tensor
    top: Tensor
    mass: Tensor

    def reshaped(self, change: Any) -> "Part":
        """The same part with one change of layout made to its three tensors."""
        return Part(change(self.out), change(self.top), change(self.mass))


def partial_attention(query: Tensor, keys: Tensor, values: Tensor, rules: Rules, hidden: Tensor | None = None) -> Part:
    """Attention of ``query [B, q, D]`` over ``keys [B, D, P]`` (transposed) and ``values [B, P, D]``.

    ``hidden`` (boolean, broadcast to ``[B, q, P]``) marks the keys that may not be seen.
    """
    if query.is_cuda and query.dtype != torch.float32:
        scores = torch.bmm(query, keys, out_dtype=torch.float32).mul_(rules.scaling)
    else:
        scores = torch.bmm(query * rules.scaling, keys).float()
    if rules.softcap is not None:
        scores = torch.tanh(scores / rules.softcap) * rules.softcap
    if hidden is not None:
        scores.masked_fill_(hidden, HIDDEN)
    top = scores.amax(-1, keepdim=True)
    scores.sub_(top)
    if hidden is not None:
        scores.clamp_(min=_LOWEST)
    weights = scores.exp_()
    mass = weights.sum(-1, keepdim=True)
    return Part(torch.bmm(weights.to(values.dtype), values).float(), top, mass)


def merge(parts: Sequence[Part]) -> Tensor:
    """Attention over all the keys of all parts (log-sum-exp merge). A part that sees nothing adds nothing."""
    top = parts[0].top
    for part in parts[1:]:
        top = torch.maximum(top, part.top)
    shares = [torch.exp(part.top - top) for part in parts]
    out = sum(part.out * share for part, share in zip(parts, shares, strict=True))
    mass = sum(part.mass * share for part, share in zip(parts, shares, strict=True))
    assert isinstance(out, Tensor)
    assert isinstance(mass, Tensor)
    return out / mass


def causal_attention(query: Tensor, keys: Tensor, values: Tensor, rules: Rules) -> Tensor:
    """A segment's attention: ``query [H, m, D]`` over its prefix and itself, ``keys, values [K, P + m, D]``."""
    count, total, heads = query.shape[1], keys.shape[1], query.shape[0]
    own = torch.arange(total - count, total, device=query.device)[:, None]
    seen = torch.arange(total, device=query.device)[None, :]
    visible = seen <= own
    if rules.window is not None and rules.window < total:
        visible &= seen > own - rules.window
    keys, values = (x.repeat_interleave(heads // x.shape[0], dim=0) for x in (keys, values))
    if rules.softcap is not None:
        return merge([partial_attention(query, keys.transpose(1, 2), values, rules, ~visible)]).to(query.dtype)
    return functional.scaled_dot_product_attention(query[None], keys[None], values[None], visible, scale=rules.scaling)[
        0
    ]


@dataclass
class Root:
    """The prefix that all rows share: per layer keys ``[K, D, P]`` (transposed once) and values ``[K, P, D]``."""

    keys: list[Tensor]
    values: list[Tensor]

    @property
    def length(self) -> int:
        return self.values[0].shape[1]

    def part(self, layer: int, rows: Tensor, positions: Tensor, rules: Rules) -> Part:
        """Attention of ``rows [n, K, g, D]`` over this prefix, in one matrix product per key head."""
        n, heads, groups, width = rows.shape
        query = rows.transpose(0, 1).reshape(heads, n * groups, width)
        hidden = None
        if rules.window is not None:
            seen = torch.arange(self.length, device=rows.device)
            hidden = (seen[None] <= positions[:, None] - rules.window).repeat_interleave(groups, 0)[None]
        part = partial_attention(query, self.keys[layer], self.values[layer], rules, hidden)
        return part.reshaped(lambda x: x.view(heads, n, groups, -1).transpose(0, 1))


@dataclass
class Leaves:
    """What follows the root in each prompt: per layer keys ``[G, K, D, P]`` and values ``[G, K, P, D]``, padded.

    ``slots [G * R]`` names the row in each group's place (spare places repeat row 0) and ``places [n]`` is its inverse.
    """

    keys: list[Tensor]
    values: list[Tensor]
    lengths: Tensor
    start: int
    slots: Tensor
    places: Tensor

    def part(self, layer: int, rows: Tensor, positions: Tensor, rules: Rules) -> Part:
        """Attention of ``rows [n, K, g, D]``, each over the remaining prompt of its own group."""
        keys, values = self.keys[layer], self.values[layer]
        count, longest, (heads, groups, width) = len(self.lengths), keys.shape[-1], rows.shape[1:]
        query = rows.index_select(0, self.slots).view(count, -1, heads, groups, width).transpose(1, 2)
        most = query.shape[2]
        seen = torch.arange(longest, device=rows.device)
        hidden = (seen[None] >= self.lengths[:, None])[:, None].expand(count, most, longest)
        if rules.window is not None:
            own = positions.index_select(0, self.slots).view(count, most, 1)
            hidden = hidden | (seen[None, None] + self.start <= own - rules.window)
        hidden = hidden[:, None, :, None].expand(count, heads, most, groups, longest).flatten(0, 1).flatten(1, 2)
        flat = query.reshape(count * heads, most * groups, width)
        part = partial_attention(flat, keys.flatten(0, 1), values.flatten(0, 1), rules, hidden)

        def by_row(x: Tensor) -> Tensor:
            placed = x.view(count, heads, most, groups, -1).transpose(1, 2).reshape(count * most, heads, groups, -1)
            return placed.index_select(0, self.places)

        return part.reshaped(by_row)


@dataclass
class Suffix:
    """What each row was fed since the prefix: per layer keys ``[n, K, D, room]`` and values ``[n, K, room, D]``."""

    keys: list[Tensor]
    values: list[Tensor]
    length: int = 0

    def append(self, layer: int, key: Tensor, value: Tensor) -> None:
        """Write this step's key and value ``[K, n, D]`` at ``length - 1``: the caller advances ``length`` first."""
        if layer == len(self.keys):
            heads, n, width = key.shape
            self.keys.append(key.new_empty(n, heads, width, _FIRST_ROOM))
            self.values.append(value.new_empty(n, heads, _FIRST_ROOM, value.shape[2]))
        room = self.keys[layer].shape[3]
        if self.length > room:
            self.keys[layer] = functional.pad(self.keys[layer], (0, room))
            self.values[layer] = functional.pad(self.values[layer], (0, 0, 0, room))
        self.keys[layer][..., self.length - 1] = key.transpose(0, 1)
        self.values[layer][:, :, self.length - 1] = value.transpose(0, 1)

    def part(self, layer: int, rows: Tensor, rules: Rules) -> Part:
        """Attention of ``rows [n, K, g, D]``, each over its own suffix."""
        keys = self.keys[layer].flatten(0, 1)[..., : self.length]
        values = self.values[layer].flatten(0, 1)[:, : self.length]
        hidden = None
        if rules.window is not None and self.length > rules.window:
            hidden = (torch.arange(self.length, device=rows.device) < self.length - rules.window)[None, None]
        part = partial_attention(rows.flatten(0, 1), keys, values, rules, hidden)
        return part.reshaped(lambda x: x.view(*rows.shape[:3], -1))


@dataclass
class DecodePlan:
    """One decoding step: token i of the pass is row i's newest token."""

    root: Root | None
    leaves: Leaves | None
    suffix: Suffix
    positions: Tensor
    furthest: int

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, rules: Rules) -> Tensor:
        if rules.window is not None and self.furthest < rules.window:
            rules = Rules(rules.scaling, None, rules.softcap)  # nothing is out of the window yet
        self.suffix.append(layer, key, value)
        heads, n, width = query.shape
        rows = query.transpose(0, 1).reshape(n, key.shape[0], heads // key.shape[0], width)
        parts = [self.suffix.part(layer, rows, rules)]
        if self.root is not None:
            parts.append(self.root.part(layer, rows, self.positions, rules))
        if self.leaves is not None:
            parts.append(self.leaves.part(layer, rows, self.positions, rules))
        return merge(parts).reshape(n, heads, width).to(query.dtype)
