"""The render check (law 4): what is trained and what is masked is decoded, and refused if it is not what is served."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from teachwhy.corpora.records import Record
from teachwhy.errors import RenderError
from teachwhy.models.chat import Message, parse_reply, plain_messages
from teachwhy.training.ledger import Form
from teachwhy.training.render import Example, Served, by_template, place, render_chat, render_document


@dataclass(frozen=True)
class Prepared:
    """A corpus, rendered and checked: its examples, how many records it had, and what did not fit."""

    examples: tuple[Example, ...]
    records: int
    truncated: int = 0
    dropped: int = 0


def prepare(
    records: Sequence[Record], form: Form, model: Served, *, corpus: str, max_length: int, overlong_share: float
) -> Prepared:
    """Render a corpus and check every record of it.

    Raises:
        RenderError: a record would be trained otherwise than it is served, or trains on nothing, or more than
            ``overlong_share`` of the records are longer than ``max_length`` tokens. It names corpus and record.
    """
    if not records:
        raise RenderError("the corpus has no records", where=f"corpus '{corpus}'")
    if form == "documents":
        chunks = [c for r in records for c in render_document(r, model, corpus=corpus, max_length=max_length)]
        done = Prepared(tuple(chunk for chunk in chunks if chunk.taught), len(records))
    else:
        done = _fit([_checked(record, model, corpus) for record in records], corpus, max_length, overlong_share)
    if not done.examples:
        raise RenderError("no token of the corpus is left to train on", where=f"corpus '{corpus}'")
    return done


def _checked(record: Record, model: Served, corpus: str) -> Example:
    example = render_chat(record, model, corpus=corpus)
    check_chat(record, example, model, corpus=corpus)
    return example


def _fit(examples: list[Example], corpus: str, max_length: int, overlong_share: float) -> Prepared:
    long = [example for example in examples if example.length > max_length]
    if len(long) > overlong_share * len(examples):
        worst = max(long, key=lambda example: example.length)
        raise RenderError(
            f"{len(long)} of {len(examples)} records are longer than {max_length} tokens and would lose their end; "
            f"the limit is a share of {overlong_share:g}",
            where=f"corpus '{corpus}', the longest is record '{worst.record_id}' with {worst.length} tokens",
            mend="shorten the records, raise max_length, or allow a share with overlong_share",
        )
    kept = [example.upto(max_length) for example in examples]
    dropped = sum(1 for example in kept if not example.taught)
    return Prepared(tuple(e for e in kept if e.taught), len(examples), len(long) - dropped, dropped)


def check_chat(record: Record, example: Example, model: Served, *, corpus: str) -> None:
    """Check one rendered conversation by its decoded text.

    Each trained span must be one turn of the assistant: its content, its calls as the server would parse them and the
    token that ends it, nothing more. What is masked before it must end in the template's opening of that turn.

    Raises:
        RenderError: it is not so; the differing texts are shown.
    """
    where = place(corpus, record)
    messages = record.messages or []
    turns = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    spans = list(_spans(example))
    if not spans:
        raise RenderError("every token is masked: the record trains on nothing", where=where, mend="see its roles")
    if len(spans) != len(turns):
        raise RenderError(f"{len(turns)} turns of the assistant, but {len(spans)} trained spans", where=where)
    for (before, start, end), index in zip(spans, turns, strict=True):
        _check_turn(messages[index], example.input_ids[start:end], model, where)
        opening = _opening(messages[:index], record.tools, model, where)
        masked = model.text(example.input_ids[before:start])
        if not masked.endswith(opening):
            raise _differ("what is masked does not end where the model begins to write", opening, masked[-80:], where)


def _spans(example: Example) -> Iterator[tuple[int, int, int]]:
    """Each trained span: where the masked text before it begins, where it begins, where it ends."""
    position = before = 0
    for on, run in groupby(example.supervised):
        length = sum(1 for _ in run)
        if on:
            yield before, position, position + length
        before, position = position, position + length


def _check_turn(message: Message, ids: Sequence[int], model: Served, where: str) -> None:
    if ids[-1] not in model.stops:
        raise RenderError("a trained turn lacks its end", where=where, mend="the model would never stop writing")
    trained = model.text(ids[:-1]).strip()
    if not trained:
        raise RenderError("a turn of the assistant is empty: it trains on nothing but its end", where=where)
    wanted = plain_messages([message], [])[0]["content"].strip()
    if trained != wanted and not _same_reply(message, trained):
        raise _differ("the trained text is not what the assistant says in the record", wanted, trained, where)


def _same_reply(message: Message, trained: str) -> bool:
    """Does the server, parsing the trained text, get the record's content, calls and reasoning back?"""
    reply = parse_reply(trained)
    functions = [call["function"] for call in message.get("tool_calls") or []]
    thought = message.get("reasoning_content") or message.get("reasoning")
    return (
        reply.content.strip() == (message.get("content") or "").strip()
        and reply.reasoning == (thought.strip() if thought else None)
        and [(call.name, call.error) for call in reply.calls] == [(f["name"], None) for f in functions]
        and all(_same_values(c.arguments, f["arguments"]) for c, f in zip(reply.calls, functions, strict=True))
    )


def _same_values(parsed: dict[str, Any], given: dict[str, Any] | str) -> bool:
    """Equal arguments; a format that writes all values as text may give a number back as its text."""
    values: dict[str, Any] = json.loads(given) if isinstance(given, str) else given
    return parsed.keys() == values.keys() and all(
        parsed[key] == value or parsed[key] == json.dumps(value, ensure_ascii=False) for key, value in values.items()
    )


def _opening(messages: Sequence[Message], tools: Sequence[Any], model: Served, where: str) -> str:
    """The text that the template adds to a conversation so that the model begins its turn."""
    prompt = by_template(model, messages, tools, where=where, prompt=True)
    return model.text(prompt[len(by_template(model, messages, tools, where=where, prompt=False)) :])


def _differ(what: str, wanted: str, found: str, where: str) -> RenderError:
    same = next(
        (i for i, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b), min(len(wanted), len(found))
    )
    start = max(0, same - 30)
    lead = "…" if start else ""
    return RenderError(
        f"{what}\n  wanted: {lead}{wanted[start : same + 60]!r}\n  found:  {lead}{found[start : same + 60]!r}",
        where=where,
        mend="the chat template changes what is trained (an added think block, a lost call): use or write another one",
    )
