"""The local engine: many samples of few prompts, on a CPU or a GPU, with each distinct prompt token computed once.

Requests are sorted into batches. A batch's prompts go through the prefix tree; what they all share is attended to once
for the whole batch, what a group of rows shares once for the group, and each row keeps only its own reply.
"""

import threading
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from teachwhy.errors import ModelError
from teachwhy.models.attention import NAME
from teachwhy.models.decoding import Batch, Completion, Request, Row
from teachwhy.models.prefixes import Node, PrefixTree, SegmentPlan
from teachwhy.models.thin import thin_linears

__all__ = ["Completion", "Engine", "Request"]

_PASS = 1024  # tokens of one packed pass over prompts
_SCORED = 512  # tokens of one packed pass whose logits over the whole vocabulary are kept
_SERVE = "serve the model with vLLM and name it vllm/..."
CALL_TOKENS = ("<|python_tag|>", "[TOOL_CALLS]", "<tool_call>", "</tool_call>", "<think>", "</think>")
"""Control tokens that mean something to ``chat.parse_reply`` and therefore stay in a completion's text."""


class Engine:
    """A causal language model that completes and scores. One call at a time; calls from other threads wait."""

    def __init__(self, model: Any, tokenizer: Any, *, max_rows: int = 64, prefix_bytes: int | None = None) -> None:
        """Take over a loaded transformers model.

        Args:
            max_rows: rows decoded together; more requests are done in waves.
            prefix_bytes: keys and values of prompts that are kept between calls (default: 0.5 GB, on a GPU 8 GB).

        Raises:
            ModelError: the architecture cannot be run with shared prefixes.
        """
        self.model, self.tokenizer, self.max_rows = model.eval(), tokenizer, max_rows
        self.device = torch.device(model.device)
        self.context = _context(model.config.get_text_config())
        roomy = self.device.type == "cuda"
        self._tree = PrefixTree(prefix_bytes if prefix_bytes is not None else (8 << 30 if roomy else 1 << 29))
        self._lock = threading.Lock()
        self._stops = _stop_ids(model, tokenizer)
        self._controls = _control_ids(tokenizer)
        _refuse_strange_layers(model.config.get_text_config())
        thin_linears(model)
        self._compare_with_plain_attention()

    @classmethod
    def load(cls, folder: Path, *, device: str | None = None, dtype: str | None = None, **options: Any) -> "Engine":
        """Load a model folder: on a GPU (bfloat16) if there is one, else on the CPU (float32).

        Raises:
            ModelError: the weights cannot be loaded, or see ``__init__``.
        """
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        kind = getattr(torch, dtype or ("bfloat16" if device.startswith("cuda") else "float32"), None)
        if not isinstance(kind, torch.dtype):
            raise ModelError(f"'{dtype}' is not a number format", where="dtype", mend="float32, bfloat16 or float16")
        safe = {"local_files_only": True, "trust_remote_code": False}
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it would break into the progress of the run
        try:
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=kind, use_safetensors=True, **safe)
            tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(f"the model cannot be loaded: {error}", where=folder, mend=_SERVE) from error
        model.to(torch.device(device))  # type: ignore[arg-type]  # a quirk of transformers' annotations
        return cls(model, tokenizer, **options)

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        """Complete every request; the answers come in the order of the requests.

        Raises:
            ModelError: a prompt is empty or leaves no room in the model's context.
        """
        for request in requests:
            self._check_prompt(request.prompt, 1)
        order = sorted(range(len(requests)), key=lambda i: (requests[i].prompt, requests[i].seed))
        done: dict[int, Completion] = {}
        with self._lock, torch.inference_mode():
            for begin in range(0, len(order), self.max_rows):
                done |= self._wave([(i, requests[i]) for i in order[begin : begin + self.max_rows]])
        return [done[i] for i in range(len(requests))]

    def score(self, prompt: Sequence[int], continuations: Sequence[Sequence[int]]) -> list[list[float]]:
        """The log-probability (nats) of every token of every continuation, given the prompt and what precedes it.

        Raises:
            ModelError: the prompt is empty or a continuation does not fit into the model's context.
        """
        self._check_prompt(prompt, max(map(len, continuations), default=0))
        scores: list[list[float]] = [[] for _ in continuations]
        filled = [i for i, tokens in enumerate(continuations) if tokens]
        with self._lock, torch.inference_mode():
            [above] = self._prefixes([tuple(prompt[:-1])])
            for some in _chunks(filled, [len(continuations[i]) for i in filled], _SCORED):
                # The prompt's last token is fed with each continuation: its output predicts the first token.
                fed = [(prompt[-1], *continuations[i][:-1]) for i in some]
                logits = self._packed([Node(tokens, above) for tokens in fed], keep=None)
                targets = torch.tensor([token for i in some for token in continuations[i]], device=self.device)
                found = torch.log_softmax(logits.float(), -1).gather(1, targets[:, None])[:, 0].tolist()
                for i in some:
                    scores[i], found = found[: len(continuations[i])], found[len(continuations[i]) :]
            self._tree.trim()
        return scores

    def _check_prompt(self, prompt: Sequence[int], more: int) -> None:
        if not prompt:
            raise ModelError("the prompt has no tokens", mend="give at least one token")
        if len(prompt) + more > self.context:
            what = f"{len(prompt)} prompt tokens and {more} more do not fit into the model's {self.context}"
            raise ModelError(what, where="prompt", mend="shorten the prompt or take a model with a longer context")

    def _wave(self, wave: Sequence[tuple[int, Request]]) -> dict[int, Completion]:
        """Decode requests that are sorted by prompt, all in one batch."""
        rows: list[Row] = []
        prompts: list[tuple[int, ...]] = []
        for prompt, same in groupby(wave, key=lambda pair: pair[1].prompt):
            rows += [Row(request, index, len(prompts)) for index, request in same if request.max_new_tokens > 0]
            prompts.append(prompt[:-1])
        done = {index: Completion((), "", "length") for index, request in wave if request.max_new_tokens <= 0}
        used = sorted({row.group for row in rows})
        for row in rows:
            row.group = used.index(row.group)
        if rows:
            batch = Batch(rows, self._prefixes([prompts[group] for group in used]), self.device)
            self._tree.trim()
            while batch.rows:
                batch.step(self.model)
                for row in batch.rows:
                    self._see_whether_done(row)
                done |= {row.index: self._completion(row) for row in batch.take_out()}
        return done

    def _see_whether_done(self, row: Row) -> None:
        if row.finish is not None:
            return
        request = row.request
        room = min(request.max_new_tokens, self.context - len(request.prompt))
        cut = self._stop_string(row)
        if cut is not None:
            row.finish, row.text = "stop", cut
        elif row.tokens[-1] in self._stops:
            row.finish = "stop"
        elif len(row.tokens) >= room:
            row.finish = "length"

    def _stop_string(self, row: Row) -> str | None:
        """The text before the first stop text, if one has been written."""
        if not row.request.stop:
            return None
        # A token holds at least one byte, so a stop text that ends now lies within this many of the last tokens.
        reach = max(len(text.encode()) for text in row.request.stop) + 4
        tail = self._text(row.tokens[-reach:])
        if not any(text in tail for text in row.request.stop):
            return None
        text = self._text(row.tokens)
        found = [text.index(stop) for stop in row.request.stop if stop in text]
        return text[: min(found)] if found else None

    def _completion(self, row: Row) -> Completion:
        assert row.finish is not None
        text = self._text(row.tokens) if row.text is None else row.text
        wanted = row.request.logprobs is not None
        logprobs, top = (tuple(row.logprobs), tuple(row.top)) if wanted else (None, None)
        return Completion(tuple(row.tokens), text, row.finish, logprobs, top)

    def _text(self, tokens: Sequence[int]) -> str:
        kept = [token for token in tokens if token not in self._controls and token not in self._stops]
        return str(self.tokenizer.decode(kept, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def _prefixes(self, prompts: Sequence[Sequence[int]]) -> list[Node]:
        """The tree's nodes at which these prompts end, computed."""
        try:
            for prompt in prompts:
                self._tree.insert(prompt, _PASS)
            # Inserting one prompt may split another's node: look the ends up when all are in.
            nodes = [self._tree.insert(prompt, _PASS) for prompt in prompts]
            for level in self._tree.pending():
                for some in _chunks(level, [len(node.tokens) for node in level], _PASS):
                    self._packed(some, keep=1)
        except BaseException:
            self._tree.clear()  # a node may be half computed
            raise
        return nodes

    def _packed(self, nodes: Sequence[Node], keep: int | None) -> Tensor:
        """One pass over nodes side by side: fills their keys and values, returns logits of the last ``keep`` tokens."""
        tokens = [token for node in nodes for token in node.tokens]
        positions = [node.start + i for node in nodes for i in range(len(node.tokens))]
        out = self.model(
            input_ids=torch.tensor([tokens], device=self.device),
            position_ids=torch.tensor([positions], device=self.device),
            use_cache=False,
            logits_to_keep=keep or 0,
            attention_plan=SegmentPlan(nodes),
        )
        logits: Tensor = out.logits[0]
        return logits

    def _compare_with_plain_attention(self) -> None:
        """Refuse an architecture whose output changes when it runs with shared prefixes instead of plain attention."""
        vocabulary = int(self.model.get_input_embeddings().weight.shape[0])
        ids = [(7919 * (i + 1)) % vocabulary for i in range(12)]
        with torch.inference_mode():
            self.model.set_attn_implementation("eager")
            plain = self.model(input_ids=torch.tensor([ids], device=self.device), use_cache=False).logits[0, 6:].float()
            self.model.set_attn_implementation(NAME)
            try:
                above = Node(tuple(ids[:6]), Node((), None))
                self._packed([above], keep=1)
                shared = self._packed([Node(tuple(ids[6:]), above)], keep=None).float()
            except (TypeError, AttributeError, RuntimeError, IndexError) as error:
                raise ModelError(f"the local engine cannot run this architecture: {error}", mend=_SERVE) from error
        allowed = 1e-3 if self.model.dtype == torch.float32 else 0.1
        if not float((plain - shared).abs().max()) <= allowed * float(plain.abs().max()):
            where = type(self.model).__name__
            raise ModelError("the local engine computes this architecture differently", where=where, mend=_SERVE)


def _context(config: Any) -> int:
    """The most tokens a sequence may have: with scaled rotary positions, those before the scale depends on length."""
    longest = int(config.max_position_embeddings)
    rope = getattr(config, "rope_parameters", None) or {}
    for kind in [rope, *(value for value in rope.values() if isinstance(value, dict))]:
        if kind.get("rope_type") == "longrope":
            longest = min(longest, int(kind.get("original_max_position_embeddings") or longest))
    return longest


def _refuse_strange_layers(config: Any) -> None:
    """Refuse layers that keep another memory than keys and values of full or sliding attention."""
    strange = set(getattr(config, "layer_types", None) or []) - {"full_attention", "sliding_attention"}
    if strange:
        what = f"the local engine has no {', '.join(sorted(strange))} layers"
        raise ModelError(what, where=config.model_type, mend=_SERVE)


def _stop_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end a turn: those of the generation configuration and the tokenizer's own."""
    named = model.generation_config.eos_token_id if model.generation_config is not None else None
    ids = named if isinstance(named, list) else [named]
    return frozenset(int(i) for i in [*ids, tokenizer.eos_token_id] if i is not None)


def _control_ids(tokenizer: Any) -> frozenset[int]:
    """Control tokens that must not appear in text (fed back, they would be read as control tokens again)."""
    added = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    vocabulary = tokenizer.get_vocab()
    kept = {vocabulary[token] for token in CALL_TOKENS if token in vocabulary}
    return frozenset((added | set(tokenizer.all_special_ids)) - kept)


def _chunks(things: Sequence[Any], sizes: Sequence[int], most: int) -> list[list[Any]]:
    """Things in order, in runs whose sizes add up to at most ``most`` (a larger thing stands alone)."""
    runs: list[list[Any]] = []
    total = 0
    for thing, size in zip(things, sizes, strict=True):
        if not runs or total + size > most:
            runs.append([])
            total = 0
        runs[-1].append(thing)
        total += size
    return runs
