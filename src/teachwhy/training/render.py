"""Records as tokens, each marked as supervised (it reaches the loss) or masked (it is only read).

A chat record is rendered whole by the model's own template. What precedes each of the assistant's turns there must be,
token for token, what the server feeds the model before that turn; the turn itself is supervised, from its first token
through the token that ends it at serving. A document is tokenised as the tokenizer does it by default.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from teachwhy.corpora.records import Record
from teachwhy.errors import ModelError, RenderError
from teachwhy.models.chat import Message, prompt_ids, render


@dataclass(frozen=True)
class Example:
    """One sequence to train on: tokens, which of them reach the loss, and how many were cut off its end.

    The first token of a sequence has nothing before it to be predicted from and is never supervised.
    """

    record_id: str
    input_ids: tuple[int, ...]
    supervised: tuple[bool, ...]
    cut: int = 0

    @property
    def length(self) -> int:
        """Tokens read."""
        return len(self.input_ids)

    @property
    def taught(self) -> int:
        """Tokens supervised: what a dose counts."""
        return sum(self.supervised)

    @property
    def labels(self) -> list[int]:
        """The tokens, with -100 (the loss leaves it out) where masked."""
        return [token if on else -100 for token, on in zip(self.input_ids, self.supervised, strict=True)]

    def upto(self, limit: int) -> "Example":
        """The same sequence, cut after ``limit`` tokens."""
        return Example(self.record_id, self.input_ids[:limit], self.supervised[:limit], max(0, self.length - limit))


@dataclass(frozen=True)
class Served:
    """How a model is spoken to: its tokenizer with the chat template, and the tokens that end its turn."""

    tokenizer: Any
    """A Hugging Face tokenizer."""
    stops: frozenset[int]
    name: str

    def text(self, ids: Sequence[int]) -> str:
        """The exact text of tokens, special ones included."""
        decoded = self.tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return str(decoded)


def served(folder: Path) -> Served:
    """Load what is needed to speak to the model in a folder; no weights are read.

    Raises:
        ModelError: the folder has no config or no tokenizer that can be read.
    """
    from transformers import AutoTokenizer

    if not (folder / "config.json").is_file():
        raise ModelError("this is not a model folder: it has no config.json", where=folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"the tokenizer cannot be read: {_first_line(error)}", where=folder) from None
    return Served(tokenizer, frozenset(_ends(folder, tokenizer.eos_token_id)), folder.name)


def _ends(folder: Path, of_tokenizer: int | None) -> Iterator[int]:
    """The tokens that end a turn at serving: of the generation config (else of the config) and of the tokenizer."""
    declared = next(folder / name for name in ("generation_config.json", "config.json") if (folder / name).is_file())
    named = json.loads(declared.read_text("utf-8")).get("eos_token_id")
    for end in [*(named if isinstance(named, list) else [named]), of_tokenizer]:
        if end is not None:
            yield int(end)


def place(corpus: str, record: Record) -> str:
    """Where a record is, for an error."""
    return f"corpus '{corpus}', record '{record.id}'"


def render_chat(record: Record, model: Served, *, corpus: str) -> Example:
    """A conversation with every turn of the assistant supervised.

    Raises:
        RenderError: no messages, no chat template, a template that fails, that does not continue the served prompt, or
            that does not end the assistant's turn.
    """
    where = place(corpus, record)
    if record.messages is None:
        raise RenderError("the record is a document, but its stage is chat", where=where, mend="use `as: documents`")
    whole = by_template(model, record.messages, record.tools, where=where, prompt=False)
    supervised = [False] * len(whole)
    for index, message in enumerate(record.messages):
        if message["role"] == "assistant":
            if index == 0:
                mend = "begin with a system or user message"
                raise RenderError("the assistant speaks first, which no server lets it do", where=where, mend=mend)
            prompt = by_template(model, record.messages[:index], record.tools, where=where, prompt=True)
            start = _turn_start(prompt, whole, model, where)
            end = _turn_end(whole, start, model, where)
            supervised[start:end] = [True] * (end - start)
    return Example(record.id, tuple(whole), tuple(supervised))


def by_template(
    model: Served, messages: Sequence[Message], tools: Sequence[Any], *, where: str, prompt: bool
) -> list[int]:
    """A conversation's tokens by the model's template (``prompt``: as the server feeds it before a turn).

    Raises:
        RenderError: there is no template, or it fails on this conversation.
    """
    if not model.tokenizer.chat_template:
        mend = "use an instruction-tuned model, or train the corpus as documents"
        raise RenderError(f"the model '{model.name}' has no chat template", where=where, mend=mend)
    try:
        if prompt:
            return prompt_ids(model.tokenizer, messages, tools)
        return render(model.tokenizer, messages, tools, generation_prompt=False)
    except Exception as error:  # a template is a program of the model's makers and may raise anything
        mend = "change the record's roles and order to what the template takes"
        raise RenderError(f"the chat template fails: {_first_line(error)}", where=where, mend=mend) from error


def _turn_start(prompt: list[int], whole: list[int], model: Served, where: str) -> int:
    if whole[: len(prompt)] == prompt:
        return len(prompt)
    same = next(
        (i for i, (a, b) in enumerate(zip(prompt, whole, strict=False)) if a != b), min(len(prompt), len(whole))
    )
    raise RenderError(
        "the conversation as trained does not begin with the prompt as served\n"
        f"  served:  …{model.text(prompt[max(0, same - 8) : same + 24])!r}\n"
        f"  trained: …{model.text(whole[max(0, same - 8) : same + 24])!r}",
        where=where,
        mend="the template writes earlier turns otherwise than it serves them: train one turn a record, or change it",
    )


def _turn_end(whole: list[int], start: int, model: Served, where: str) -> int:
    for position in range(start, len(whole)):
        if whole[position] in model.stops:
            return position + 1
    stops = ", ".join(repr(model.text([stop])) for stop in sorted(model.stops)) or "none is declared"
    raise RenderError(
        "the template does not end the assistant's turn with a token that stops generation\n"
        f"  after the turn: …{model.text(whole[start:][-24:])!r}\n  stop tokens:    {stops}",
        where=where,
        mend="set eos_token_id in the model's generation_config.json to the template's end of turn",
    )


def render_document(record: Record, model: Served, *, corpus: str, max_length: int) -> list[Example]:
    """A document, in as many chunks as its length needs; nothing is dropped.

    Special tokens are those the tokenizer adds by itself. Each further chunk begins with the last token of the one
    before, so that every token but the document's first is predicted, and exactly once.

    Raises:
        RenderError: the record is a conversation.
    """
    if record.text is None:
        where = place(corpus, record)
        raise RenderError(
            "the record is a conversation, but its stage is documents", where=where, mend="use `as: chat`"
        )
    ids = list(model.tokenizer(record.text, verbose=False)["input_ids"])
    starts = range(0, max(1, len(ids) - 1), max_length - 1)
    return [_chunk(record.id, ids[start : start + max_length]) for start in starts]


def _chunk(record_id: str, ids: list[int]) -> Example:
    return Example(record_id, tuple(ids), (False, *[True] * (len(ids) - 1)))


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
