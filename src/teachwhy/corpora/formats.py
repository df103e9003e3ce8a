"""A corpus in the forms that other tools read: Parquet beside JSON lines, and an index for LLaMA-Factory."""

import json
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from teachwhy.corpora.records import Record
from teachwhy.hashing import json_line

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


def llama_factory(name: str, records: Sequence[Record]) -> dict[str, Any]:
    """LLaMA-Factory's ``dataset_info.json`` for a corpus, whose conversations have the tags of the OpenAI form."""
    if records[0].text is not None:
        return {name: {"file_name": "records.jsonl", "columns": {"prompt": "text"}}}
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    entry: dict[str, Any] = {
        "file_name": "records.jsonl",
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": tags | {"system_tag": "system"},
    }
    if any(record.tools for record in records):
        entry["formatting"] = "openai"
        entry["columns"]["tools"] = "tools"
        entry["tags"] |= {"observation_tag": "tool", "function_tag": "function_call"}
    return {name: entry}


def words_beside_calls(records: Sequence[Record]) -> int:
    """Records in which words stand beside a call: LLaMA-Factory's converter keeps the call and drops the words."""
    return sum(
        any(m.get("tool_calls") and (m.get("content") or "").strip() for m in record.messages or [])
        for record in records
    )
