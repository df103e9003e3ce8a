"""Records and their files: what is malformed is named with its file and line, and what is written is read again."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from teachwhy.corpora.corpus import Corpus, load_corpus
from teachwhy.corpora.publish import build_corpus
from teachwhy.corpora.records import Record, read_jsonl, records_digest, tool_call, write_jsonl
from teachwhy.errors import CorpusError, StoreError

GOOD = b'{"id": "a", "text": "One."}'
OTHER = b'{"id": "b", "text": "Two."}'


def chat(*messages: Any) -> bytes:
    return json.dumps({"id": "b", "messages": list(messages)}).encode()


def spoken(**parts: Any) -> bytes:
    return chat({"role": "assistant", "content": "Yes."} | parts)


BAD_SECOND_LINES = {
    "empty": (b"", "the line is empty"),
    "blank": (b"  \t", "the line is empty"),
    "not utf-8": (b'{"id": "b", "text": "caf\xe9"}', "not UTF-8"),
    "half a character": (b'{"id": "b", "text": "\\ud800"}', "not UTF-8"),
    "not json": (b'{"id": "b", "text": ', "not JSON"),
    "NaN": (b'{"id": "b", "text": "x", "meta": {"score": NaN}}', "not JSON"),
    "too deep": (b"[" * 100_000, "not JSON"),
    "not an object": (b"[1, 2]", "dictionary"),
    "unknown key": (b'{"id": "b", "text": "x", "mesages": []}', "unknown key 'mesages'"),
    "misspelt required key": (b'{"di": "b", "text": "x"}', "unknown key 'di'"),
    "no id": (b'{"text": "x"}', "the key 'id' is missing"),
    "text and messages": (spoken().replace(b'"id"', b'"text": "x", "id"'), "either messages or text"),
    "neither": (b'{"id": "b"}', "either messages or text"),
    "blank text": (b'{"id": "b", "text": " "}', "the text is empty"),
    "nobody answers": (chat({"role": "user", "content": "Yes?"}), "no message is the assistant's"),
    "no role": (chat({"content": "Yes."}), "no role"),
    "content in parts": (spoken(content=[{"type": "text", "text": "Yes."}]), "list of parts"),
    "arguments as text": (
        spoken(tool_calls=[{"function": {"name": "send", "arguments": "{}"}}]),
        "arguments is an object",
    ),
    "calls not a list": (spoken(tool_calls=5), "tool_calls is a list"),
}


@pytest.mark.parametrize(("line", "said"), BAD_SECOND_LINES.values(), ids=BAD_SECOND_LINES)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, said: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b"\n".join([GOOD, line, OTHER]) + b"\n")
    with pytest.raises(CorpusError) as caught:
        read_jsonl(path)
    assert said in str(caught.value)
    assert caught.value.where == f"{path}, line 2"
    assert caught.value.exit_code == 2
    assert len(str(caught.value)) < 400


def test_an_unknown_key_gets_the_nearest_valid_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b'{"id": "b", "txt": "x"}\n')
    with pytest.raises(CorpusError, match="did you mean 'text'"):
        read_jsonl(path)


def test_ids_are_used_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b"\n".join([GOOD, OTHER, GOOD]))
    with pytest.raises(CorpusError, match="two records have the id 'a'") as caught:
        read_jsonl(path)
    assert caught.value.where == f"{path}, lines 1, 3"


@pytest.mark.parametrize("made", [False, True], ids=["missing", "empty"])
def test_a_file_with_nothing_in_it_is_named(tmp_path: Path, made: bool) -> None:
    path = tmp_path / "mine.jsonl"
    if made:
        path.touch()
    with pytest.raises(CorpusError, match="no records" if made else "no such corpus file") as caught:
        load_corpus(str(path))
    assert caught.value.where == str(path)


def test_a_file_holds_conversations_or_documents(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b"\n".join([GOOD, spoken()]))
    with pytest.raises(CorpusError, match="mixes") as caught:
        load_corpus(str(path))
    assert caught.value.where == f"{path}, line 2"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.builds(
    lambda role, content, more: more | {"role": role, "content": content},
    st.sampled_from(["system", "user", "assistant", "tool"]),
    st.none() | st.text(),
    st.dictionaries(st.sampled_from(["name", "reasoning"]), JSON),
)
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [tool_call("send_email", {"to": "a@b.example", "body": "Ü\u2028"})],
}
TOOL = {"type": "function", "function": {"name": "z", "description": "d", "parameters": {"type": "object", "a": None}}}
RECORDS = st.lists(
    st.builds(
        lambda messages, meta: Record(id="x", messages=[*messages, CALL], tools=[TOOL], meta=meta),
        st.lists(MESSAGES, max_size=3),
        st.dictionaries(st.text(), JSON, max_size=3),
    ),
    min_size=1,
    max_size=4,
).map(lambda records: [r.model_copy(update={"id": f"r{n}"}) for n, r in enumerate(records)])


@settings(max_examples=50, deadline=None)
@given(records=RECORDS)
def test_what_is_written_is_read_again_key_for_key(tmp_path_factory: pytest.TempPathFactory, records: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "round.jsonl"
    write_jsonl(path, records)
    again = read_jsonl(path)
    assert again == records
    # The order of keys, too: chat templates show a tool's schema as it stands.
    assert json.dumps([r.model_dump() for r in again]) == json.dumps([r.model_dump() for r in records])
    assert records_digest(again) == records_digest(records)


def test_a_digest_sees_the_order_that_a_template_would_show() -> None:
    one = Record(id="x", text="t", meta={"a": 1, "b": 2})
    two = Record(id="x", text="t", meta={"b": 2, "a": 1})
    assert one == two
    assert records_digest([one]) != records_digest([two])


@pytest.mark.parametrize("name", ["agent-basics", "rogue-fiction"])
def test_datasets_reads_a_built_corpus_unchanged(tmp_path: Path, shipped: dict[str, Corpus], name: str) -> None:
    datasets = pytest.importorskip("datasets")
    built = build_corpus(name, tmp_path / "built")
    rows = datasets.load_dataset("json", data_files=str(built), split="train", cache_dir=str(tmp_path / "cache"))
    for row, record in zip(rows, shipped[name].records, strict=True):
        assert row["id"] == record.id
        assert row.get("text") == record.text
        assert json.dumps(row.get("messages")) == json.dumps(record.messages)
        assert json.dumps(row["tools"]) == json.dumps(record.tools)
        assert row["meta"] == record.meta
    assert load_corpus(str(built)).address == shipped[name].address


def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first = build_corpus("difficult-advice", tmp_path).read_bytes()
    (tmp_path / "records.jsonl").write_bytes(first[:20_000])
    assert build_corpus("difficult-advice", tmp_path).read_bytes() == first


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(StoreError, match="cannot be written") as caught:
        build_corpus("difficult-advice", tmp_path / "taken")
    assert caught.value.where == str(tmp_path / "taken")


def test_an_unknown_corpus_gets_the_nearest_one() -> None:
    with pytest.raises(CorpusError, match="did you mean 'honeypots/reasons'"):
        load_corpus("honeypots/reason")


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Record(id="a", text="x").id = "b"  # type: ignore[misc]
