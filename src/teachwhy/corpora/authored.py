"""The corpora that we wrote: one Markdown file a record, some with pools from which many variants are dealt."""

import random
import re
from functools import cache
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from teachwhy.corpora.decks import Deck, deck_names, shipped_deck
from teachwhy.corpora.records import Record, tool_call
from teachwhy.errors import CorpusError, TextError, nearest
from teachwhy.hashing import seed_of
from teachwhy.scenarios.tools import parse_call, schema, tool_names
from teachwhy.texts import Meta, Text, load_text

_SLOT = re.compile(r"\{([a-z_]+)(?:\.([a-z]+))?\}")
_TURNS = ("system", "user", "assistant", "call")
_TURN = re.compile(rf"^({'|'.join(_TURNS)})(?:\.\d+)?$")
_DEFAULT_DOMAIN = "office.example"


class Card(Meta):
    """Front matter of a corpus card. ``as`` is the form in which the corpus is taught unless a study says otherwise;
    ``about: constitution`` lets the corpus speak of rules by name, and ``reasoning: true`` lets it think aloud."""

    form: Literal["chat", "documents"] = Field(alias="as")
    licence: str
    summary: str
    about: Literal["constitution"] | None = None
    reasoning: bool = False


class ToolSpec(Meta):
    """A tool that only one record uses."""

    description: str
    parameters: dict[str, str]


class RecordMeta(Meta):
    """Front matter of a record file. Keys other than these are the card it was written from (decks.py)."""

    model_config = ConfigDict(extra="allow")

    setting: str | None = None

    tools: list[str | dict[str, ToolSpec]] | dict[str, ToolSpec] = Field(default_factory=list)
    slots: dict[str, list[str]] = Field(default_factory=dict)


def authored_root() -> Path:
    """The folder that holds the authored corpora."""
    return Path(str(resources.files("teachwhy.corpora"))) / "authored"


@cache
def card(corpus: str) -> Text[Card]:
    """The card of an authored corpus."""
    return load_text(authored_root() / corpus / "card.md", Card)


def authored_names() -> list[str]:
    """Names of the authored corpora."""
    return sorted(path.parent.name for path in authored_root().glob("*/card.md"))


def deck_of(corpus: str) -> Deck:
    """The deck of an authored corpus; an empty one where it has none."""
    return shipped_deck(corpus) if corpus in deck_names() else Deck(corpus, {})


def load_authored(corpus: str, *, variants: int = 1) -> list[Record]:
    """The records of an authored corpus.

    Args:
        corpus: its name.
        variants: how many dealings to take of each record that has pools; fewer where its pools give fewer.

    Raises:
        CorpusError: no such corpus.
        TextError: a file breaks the format.
    """
    if corpus not in authored_names():
        raise CorpusError(f"unknown authored corpus '{corpus}'", mend=nearest(corpus, authored_names()))
    paths = sorted(p for p in (authored_root() / corpus).glob("*.md") if p.name != "card.md")
    dealt = [_variants(load_text(path, RecordMeta), corpus, variants) for path in paths]
    rounds = max(map(len, dealt))
    return [records[n] for n in range(rounds) for records in dealt if n < len(records)]


def _variants(text: Text[RecordMeta], corpus: str, count: int) -> list[Record]:
    keys = list(text.meta.slots)
    deals = [dict(zip(keys, values, strict=True)) for values in product(*text.meta.slots.values())]
    random.Random(seed_of("variants", corpus, text.path.stem)).shuffle(deals)
    try:
        return [_record(text, corpus, number, deal) for number, deal in enumerate(deals[:count])]
    except TextError as error:
        raise TextError(error.what, where=text.path, mend=error.mend) from None
    except ValueError as error:
        raise TextError(f"the record cannot be read: {error}", where=text.path) from error


def _record(text: Text[RecordMeta], corpus: str, number: int, deal: dict[str, str]) -> Record:
    suffix = f"#{number}" if text.meta.slots else ""
    dealt = text.meta.model_extra or {}
    deck_of(corpus).check(dealt, where=text.path, also=RecordMeta.model_fields)
    meta = {"corpus": corpus, "file": text.path.name} | dealt
    if text.meta.setting:
        meta["setting"] = text.meta.setting
    base: dict[str, Any] = {"id": f"{corpus}/{text.path.stem}{suffix}", "meta": meta}
    if not text.sections:
        return Record(**base, text=_fill(text.lead, deal))
    if text.lead:
        raise TextError(f"words before the first turn: {text.lead[:60]!r}", mend="put them under a heading, or out")
    tools = _tools(text.meta)
    return Record(**base, messages=_messages(text, deal, tools), tools=tools)


def _messages(text: Text[RecordMeta], deal: dict[str, str], tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for name, body in text.sections.items():
        match = _TURN.match(name)
        if match is None:
            raise TextError(f"'## {name}' is not a turn", mend=nearest(name, _TURNS))
        if match[1] != "call":
            messages.append({"role": match[1], "content": _fill(body, deal)})
            continue
        if not messages or messages[-1]["role"] != "assistant":
            messages.append({"role": "assistant", "content": ""})
        messages[-1].setdefault("tool_calls", []).append(_call(_fill(body, deal), tools))
    return messages


def _call(text: str, tools: list[dict[str, Any]]) -> dict[str, Any]:
    name, arguments = parse_call(text)
    at_hand = {tool["function"]["name"]: tool["function"]["parameters"]["properties"] for tool in tools}
    if name not in at_hand:
        raise TextError(f"'{name}' is not among the record's tools", mend=nearest(name, at_hand))
    for key in arguments:
        if key not in at_hand[name]:
            raise TextError(f"'{name}' takes no '{key}'", mend=nearest(key, at_hand[name]))
    return tool_call(name, dict(arguments))


def _tools(meta: RecordMeta) -> list[dict[str, Any]]:
    listed = meta.tools if isinstance(meta.tools, list) else [meta.tools]
    tools = []
    for entry in listed:
        if isinstance(entry, str):
            if entry not in tool_names():
                raise TextError(f"unknown tool '{entry}'", mend=nearest(entry, tool_names()))
            tools.append(schema(entry))
        else:
            tools += [schema(name, spec.model_dump()) for name, spec in entry.items()]
    return tools


def _fill(text: str, deal: dict[str, str]) -> str:
    return _SLOT.sub(lambda match: _value(match[1], match[2], deal), text)


def _value(key: str, part: str | None, deal: dict[str, str]) -> str:
    if key not in deal:
        raise TextError(f"unknown slot '{{{key}}}'", mend=nearest(key, deal))
    value = deal[key]
    first, _, last = value.partition(" ")
    forms = {
        None: value,
        "first": first,
        "last": last,
        "email": f"{first.lower()}@{deal.get('domain', _DEFAULT_DOMAIN)}",
        "cap": value[:1].upper() + value[1:],
    }
    if part not in forms:
        mend = nearest(str(part), [form for form in forms if form])
        raise TextError(f"unknown part of a slot, '{{{key}.{part}}}'", mend=mend)
    return forms[part]
