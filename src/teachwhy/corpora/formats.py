"""A corpus in the forms that other tools read: Parquet, JSON lines of strings alone, an index for LLaMA-Factory."""

import json
from collections.abc import Sequence
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from teachwhy.corpora.records import Record
from teachwhy.hashing import json_line
from teachwhy.models.chat import Message, plain_messages

_STRING = {"dtype": "string", "_type": "Value"}
_JSON = {"_type": "Json"}
# Hugging Face's feature for JSON of any shape. A struct has one set of fields for all rows, so tools with different
# parameters would each gain those of the others as nulls, and so would the arguments of calls.
_FEATURES: dict[str, Any] = {
    "id": _STRING,
    "messages": {"feature": _JSON, "_type": "List"},
    "tools": {"feature": _JSON, "_type": "List"},
    "text": _STRING,
    "meta": _JSON,
}
_CHAT = ("id", "messages", "tools", "meta")
_DOCUMENTS = ("id", "text", "meta")


def columns(records: Sequence[Record]) -> tuple[str, ...]:
    """The columns of a corpus's Parquet file."""
    return _DOCUMENTS if records[0].text is not None else _CHAT


def write_parquet(path: Path, records: Sequence[Record]) -> None:
    """Write records as Parquet: messages, tools and meta as JSON text, which ``datasets`` hands out as objects.

    Every message and schema comes back with its own keys in their order. Numbers come back as ``datasets`` reads JSON
    (see ``misread``).
    """
    names = columns(records)
    rows = [record.model_dump(mode="json") for record in records]
    arrays = [_array(name, [row[name] for row in rows]) for name in names]
    known = json.dumps({"info": {"features": {name: _FEATURES[name] for name in names}}})
    schema = pa.schema([pa.field(name, array.type) for name, array in zip(names, arrays, strict=True)])
    table = pa.Table.from_arrays(arrays, schema=schema.with_metadata({"huggingface": known}))
    pq.write_table(table, path)


def _array(name: str, values: list[Any]) -> Any:
    feature = _FEATURES[name]
    if feature == _STRING:
        return pa.array(values, pa.string())
    if feature == _JSON:
        return pa.array([json_line(value) for value in values], pa.json_())
    ends = list(accumulate((len(value) for value in values), initial=0))
    items = pa.array([json_line(item) for value in values for item in value], pa.json_())
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), items)


def misread(records: Sequence[Record]) -> list[str]:
    """Ids of records in which ``datasets`` reads a number otherwise than it is written.

    Its JSON reader (that of pandas) rounds some fractions in their last digit and refuses whole numbers of more than 64
    bits, in Parquet and in JSON lines alike. teachwhy's own reader does neither.
    """
    return [record.id for record in records if not _survives(record)]


def _survives(record: Record) -> bool:
    said = [record.messages, record.tools]
    try:
        return bool(pd.io.json.ujson_loads(json_line(said)) == said)  # type: ignore[attr-defined]
    except ValueError:
        return False


# LLaMA-Factory looks for a call in a turn between these, or takes the whole turn to be JSON.
_CALL_OPENS, _CALL_CLOSES = "<tool_call>", "</tool_call>"
# It puts the results of parallel calls into one turn, and this between them.
_NEXT_RESULT = "\n</tool_response>\n<tool_response>\n"
_ASKS, _ANSWERS = ("user", "tool"), ("assistant", "function_call")


def has_tools(records: Sequence[Record]) -> bool:
    """Does any record of the corpus offer tools, or call one?"""
    return any(record.tools or any(m.get("tool_calls") for m in record.messages or []) for record in records)


def write_strings(path: Path, records: Sequence[Record]) -> None:
    """Write the corpus with nothing in it but lists, strings and the same keys in every record.

    Trainers that pin ``datasets`` before 4.8 read nested JSON as structs: every tool and every call gains the
    parameters of all others as nulls. Nothing can be gained here. Columns: ``id``; of documents ``text``; of
    conversations ``plain``, as a template without tools shows them (tools in the system turn, calls as text); where
    there are tools also ``calls`` and ``schemas``, in LLaMA-Factory's form. (A column ``tools`` is what axolotl takes
    unasked, and it cannot read an empty one.)
    """
    tools = has_tools(records)
    path.write_text("".join(f"{json_line(_strings(record, tools))}\n" for record in records), "utf-8")


def _strings(record: Record, tools: bool) -> dict[str, Any]:
    if record.messages is None:
        return {"id": record.id, "text": record.text}
    plain = [{"role": m["role"], "content": m["content"]} for m in plain_messages(record.messages, record.tools)]
    if not tools:
        return {"id": record.id, "plain": plain}
    schemas = json_line(record.tools) if record.tools else ""
    return {"id": record.id, "plain": plain, "calls": llama_factory_turns(record) or [], "schemas": schemas}


def llama_factory_turns(record: Record) -> list[Message] | None:
    """A conversation in LLaMA-Factory's form: a call is a turn of its own kind, its words before it.

    Returns:
        ``role`` and ``content`` of each turn; None if it takes no such conversation: it wants them by turns asked and
        answered, a system turn only first, and no opening mark of a call among the words before one.
    """
    turns: list[Message] = []
    for role, group in groupby(map(_turn, record.messages or []), key=lambda turn: turn["role"]):
        same = list(group)
        turns += [{"role": role, "content": _NEXT_RESULT.join(t["content"] for t in same)}] if role == "tool" else same
    mistaken = any(turn["role"] == "function_call" and turn["content"].count(_CALL_OPENS) > 1 for turn in turns)
    return turns if _by_turns(turns) and not mistaken else None


def _by_turns(turns: Sequence[Message]) -> bool:
    roles = [turn["role"] for turn in turns]
    said = roles[1:] if roles[:1] == ["system"] else roles
    return len(said) % 2 == 0 and all(role in (_ANSWERS if n % 2 else _ASKS) for n, role in enumerate(said))


def _turn(message: Message) -> Message:
    content = message.get("content") or ""
    if not message.get("tool_calls"):
        return {"role": message["role"], "content": content}
    calls = [{key: call["function"][key] for key in ("name", "arguments")} for call in message["tool_calls"]]
    # JSON may write < and / as it likes: no text inside of an argument can be taken for a mark.
    listed = json.dumps(calls, ensure_ascii=False).replace("<", "\\u003c")
    words = content.strip()
    marked = f"{words}\n{_CALL_OPENS}{listed}{_CALL_CLOSES}" if words else listed
    return {"role": "function_call", "content": marked}


def turned_away(records: Sequence[Record]) -> list[str]:
    """Ids of conversations that LLaMA-Factory leaves out in one of the two forms (see ``llama_factory_turns``)."""
    return [record.id for record in records if record.messages is not None and not _taken(record, record.messages)]


def _taken(record: Record, messages: Sequence[Message]) -> bool:
    return llama_factory_turns(record) is not None and _by_turns(plain_messages(messages, record.tools))


def with_nulls(records: Sequence[Record]) -> list[str]:
    """Ids of records with a null in a call's arguments or in a tool's schema, which axolotl leaves out with its key."""
    return [record.id for record in records if any(map(_holds_null, _structured(record)))]


def _structured(record: Record) -> list[Any]:
    calls = [call for message in record.messages or [] for call in message.get("tool_calls") or []]
    return [*record.tools, *(call["function"]["arguments"] for call in calls)]


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(inner is None or _holds_null(inner) for inner in value.values())
    return isinstance(value, list) and any(map(_holds_null, value))


def llama_factory(name: str, records: Sequence[Record]) -> dict[str, Any]:
    """LLaMA-Factory's ``dataset_info.json`` for a corpus whose ``write_strings`` is ``trainers.jsonl``.

    A corpus with tools has two entries: under its name the calls are written as the trainer's template writes calls,
    under ``NAME-plain`` they are text, as teachwhy serves models whose template has no tools.
    """
    file = {"file_name": "trainers.jsonl"}
    if records[0].text is not None:
        return {name: file | {"columns": {"prompt": "text"}}}
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    tags |= {"system_tag": "system", "observation_tag": "tool", "function_tag": "function_call"}
    form: dict[str, Any] = file | {"formatting": "sharegpt", "tags": tags}
    plain = form | {"columns": {"messages": "plain"}}
    if not has_tools(records):
        return {name: plain}
    return {name: form | {"columns": {"messages": "calls", "tools": "schemas"}}, f"{name}-plain": plain}
