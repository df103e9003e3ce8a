"""The record: one piece of teaching text, as Hugging Face ``messages`` and ``tools``, or as ``text``."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from teachwhy.errors import CorpusError
from teachwhy.hashing import canonical, digest, json_line
from teachwhy.texts import validated


class Record(BaseModel):
    """One record. Exactly one of ``messages`` (a conversation, with its ``tools``) and ``text`` (a document) is set.

    ``meta`` says where it comes from and what it is (family, decision, variant, ...); it is never trained on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    messages: list[dict[str, Any]] | None = None
    tools: list[dict[str, Any]] = Field(default_factory=list)
    text: str | None = None
    meta: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.messages is None) == (self.text is None):
            raise ValueError("a record has either messages or text")
        if self.text is not None and not self.text.strip():
            raise ValueError("the text is empty")
        for message in self.messages or []:
            _check_message(message)
        if self.messages is not None and not any(m["role"] == "assistant" for m in self.messages):
            raise ValueError("no message is the assistant's")
        return self

    def taught(self) -> str:
        """The text that a model learns from this record: the document, or the assistant's turns."""
        if self.text is not None:
            return self.text
        return "\n".join(_spoken(m) for m in self.messages or [] if m["role"] == "assistant")

    def whole(self) -> str:
        """All text of the record, what is read and what is taught."""
        return self.text if self.text is not None else "\n".join(_spoken(m) for m in self.messages or [])


def _check_message(message: dict[str, Any]) -> None:
    if not isinstance(message.get("role"), str):
        raise ValueError("a message has no role")
    if not isinstance(message.get("content"), str | None):
        raise ValueError("the content of a message is text, not a list of parts")
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list) or not all(map(_is_call, calls)):
        raise ValueError("tool_calls is a list of {function: {name, arguments}}; arguments is an object, not text")


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return False
    return isinstance(function.get("name"), str) and isinstance(function.get("arguments"), dict)


def _spoken(message: dict[str, Any]) -> str:
    calls = [call["function"] for call in message.get("tool_calls") or []]
    written = ["\n".join([call["name"], *map(str, call["arguments"].values())]) for call in calls]
    return "\n".join([message.get("content") or "", *written]).strip()


def tool_call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """A call as it stands in a message's ``tool_calls``."""
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


def records_digest(records: Iterable[Record]) -> str:
    """Content hash of a corpus: of all its records in order, with the order of keys, which a template may show."""
    return digest([_line(record) for record in records])


def _line(record: Record) -> str:
    """A record as one line of JSON, unset fields left out."""
    return json_line(record.model_dump(mode="json", exclude_none=True))


def write_jsonl(path: Path, records: Iterable[Record]) -> None:
    """One record a line."""
    path.write_text("".join(f"{_line(record)}\n" for record in records), "utf-8")


def read_jsonl(path: Path) -> list[Record]:
    """Read a corpus file.

    Raises:
        CorpusError: the file is missing or empty, or a line is empty, not UTF-8, not JSON or not a record; it names
            the line.
    """
    if not path.is_file():
        raise CorpusError("there is no such corpus file", where=path)
    records = list(parse_lines(path, enumerate(path.read_bytes().splitlines(), start=1)))
    if not records:
        raise CorpusError("the corpus has no records", where=path)
    seen: dict[str, int] = {}
    for number, record in enumerate(records, start=1):
        if record.id in seen:
            raise CorpusError(
                f"two records have the id '{record.id}'",
                where=f"{path}, lines {seen[record.id]}, {number}",
                mend="give one of them another id",
            )
        seen[record.id] = number
    return records


def parse_lines(path: Path, lines: Iterable[tuple[int, bytes]]) -> Iterator[Record]:
    """Records of numbered lines of a corpus file. CorpusError: as ``read_jsonl``."""
    for number, raw in lines:
        where = f"{path}, line {number}"
        if not raw.strip():
            raise CorpusError("the line is empty", where=where, mend="remove the line: a record is one line of JSON")
        yield validated(Record, _parsed(raw, where), where=where, error=CorpusError)


def _parsed(raw: bytes, where: str) -> Any:
    try:
        value = json.loads(raw.decode("utf-8"))
        canonical(value).encode("utf-8")  # refuses what Python reads and nothing else does: NaN, half a character
    except UnicodeError:
        raise CorpusError("the line is not UTF-8", where=where, mend="save the file as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"the line is not JSON: {error}", where=where) from None
    return value
