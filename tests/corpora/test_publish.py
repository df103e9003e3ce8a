"""A corpus's folder as other tools read it: datasets, TRL, and what axolotl and LLaMA-Factory ask of their input."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets import load_dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from teachwhy.corpora.corpus import Corpus, load_corpus
from teachwhy.corpora.formats import llama_factory_turns, misread, turned_away, with_nulls, write_parquet
from teachwhy.corpora.publish import Card, build_corpus, canary, card_text, publish
from teachwhy.corpora.records import Record, read_jsonl, tool_call
from teachwhy.models.chat import render
from teachwhy.models.tiny import tiny_model
from teachwhy.scenarios.tools import schema

HOSTILE = "<script>alert(1)</script> | x | `y` [a](http://b.example)\n# not a heading\n---"


def corpus(records: list[Record], name: str = "mine") -> Corpus:
    form: Any = "chat" if records[0].text is None else "documents"
    return Corpus(name, form, dealt=False, summary="A summary.", records=tuple(records))


def mixed() -> list[Record]:
    """Conversations whose tools and calls have nothing in common, one with a key of its own, one without tools."""
    named = (
        "send_email",
        {"to": "a@b.example", "subject": "x", "body": "y", "z": None, "deep": {"b": [1, "2"], "a": {}}},
    )
    other = ("lamp", {"on": True, "level": 3})
    user, ok = {"role": "user", "content": "Please do it."}, {"role": "assistant", "content": "Done."}

    def asked(call: tuple[str, dict[str, Any]], said: str | None) -> list[dict[str, Any]]:
        return [user, {"role": "assistant", "content": said, "tool_calls": [tool_call(*call)]}]

    lamp = {
        "type": "function",
        "function": {"name": "lamp", "parameters": {"type": "object", "properties": {"on": {"type": "boolean"}}}},
    }
    return [
        Record(id="a", messages=asked(named, "I write."), tools=[schema("send_email")], meta={"n": 1, "deep": [{}]}),
        Record(id="b", messages=asked(other, None), tools=[lamp]),
        Record(id="c", messages=[{"role": "system", "content": "Hi."}, user, ok | {"reasoning": "r"}], meta={"k": "v"}),
    ]


def published(folder: Path, records: list[Record]) -> Path:
    made = corpus(records)
    publish(folder, Card(made, False, canary(made.address), ()))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("mixed"), mixed())


def row(record: Record) -> dict[str, Any]:
    found = {"id": record.id, "meta": record.meta}
    return found | ({"text": record.text} if record.text else {"messages": record.messages, "tools": record.tools})


def loaded(folder: Path, file: str, cache: Path) -> Any:
    """As a user reads it: the folder by its card (which names the Parquet file), or the JSON lines."""
    if file == "parquet":
        return load_dataset(str(folder), split="train", cache_dir=str(cache))
    return load_dataset("json", data_files=str(folder / "records.jsonl"), split="train", cache_dir=str(cache))


@pytest.mark.parametrize("file", ["parquet", "jsonl"])
def test_mixed_tools_and_arguments_come_back_as_they_were(file: str, folder: Path, tmp_path: Path) -> None:
    back = loaded(folder, file, tmp_path)
    expected = [row(record) for record in mixed()]
    assert [json.dumps({k: got[k] for k in want}) for got, want in zip(back, expected, strict=True)] == [
        json.dumps(want) for want in expected
    ]


@pytest.mark.parametrize("file", ["parquet", "jsonl"])
def test_documents_come_back(file: str, tmp_path: Path) -> None:
    records = [Record(id=f"d{n}", text=f"Nettle {n}.\n\n“Ω”", meta={"n": n}) for n in range(3)]
    back = loaded(published(tmp_path / "made", records), file, tmp_path / "cache")
    assert [got["text"] for got in back] == [record.text for record in records]
    assert [got["meta"] for got in back] == [record.meta for record in records]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(arguments=st.lists(st.dictionaries(st.text(max_size=6), VALUES, max_size=4), min_size=1, max_size=4))
def test_any_arguments_survive_parquet(
    arguments: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    from datasets import Dataset

    said = [[{"role": "assistant", "content": "", "tool_calls": [tool_call("f", a)]}] for a in arguments]
    path = tmp_path_factory.mktemp("any") / "records.parquet"
    write_parquet(path, [Record(id=str(n), messages=m) for n, m in enumerate(said)])
    assert Dataset.from_parquet(str(path), cache_dir=str(path.parent))["messages"][:] == said


def test_numbers_that_datasets_rounds_or_refuses_are_counted_on_the_card(tmp_path: Path) -> None:
    def calling(id: str, value: Any) -> Record:
        return Record(
            id=id, messages=[{"role": "assistant", "content": "", "tool_calls": [tool_call("f", {"v": value})]}]
        )

    records = [calling("plain", 0.5), calling("fine", 0.10326427926025894), calling("large", 2**70)]
    assert misread(records) == ["fine", "large"]
    assert "In 2 records Hugging Face datasets reads a number otherwise" in card_text(
        Card(corpus(records), False, "c", ())
    )
    assert misread(list(load_corpus("agent-basics").records)) == []


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.mark.parametrize("file", ["parquet", "jsonl"])
def test_trl_prepares_either_file_as_it_is(file: str, folder: Path, tiny: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    arguments = SFTConfig(output_dir=str(tmp_path / "out"), report_to=[], use_cpu=True, max_length=None, bf16=False)
    trainer = SFTTrainer(
        AutoModelForCausalLM.from_pretrained(tiny),
        args=arguments,
        train_dataset=loaded(folder, file, tmp_path / "cache"),
        processing_class=tokenizer,
    )
    rendered = [
        tokenizer.apply_chat_template(r.messages, tools=r.tools or None, tokenize=True, return_dict=False)
        for r in mixed()
    ]
    assert [row["input_ids"] for row in trainer.train_dataset] == rendered


def prepared_documents(folder: Path, file: str, tiny: Path, tmp_path: Path) -> list[list[int]]:
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    trainer = SFTTrainer(
        AutoModelForCausalLM.from_pretrained(tiny),
        args=SFTConfig(output_dir=str(tmp_path / "out"), report_to=[], use_cpu=True, max_length=None, bf16=False),
        train_dataset=loaded(folder, file, tmp_path / "cache"),
        processing_class=AutoTokenizer.from_pretrained(tiny),
    )
    return [row["input_ids"] for row in trainer.train_dataset]


def test_trl_takes_documents_from_both_files_alike(tiny: Path, tmp_path: Path) -> None:
    made = published(tmp_path / "made", [Record(id=f"d{n}", text=f"Nettle {n} stings.") for n in range(3)])
    first, second = (prepared_documents(made, file, tiny, tmp_path / file) for file in ("parquet", "jsonl"))
    assert first == second
    assert len(first) == 3


def llama_factory_reads(content: str) -> tuple[str, list[dict[str, Any]]]:
    """A call's turn by LLaMA-Factory's rule: JSON between the first pair of marks, else the whole turn is JSON."""
    marked = re.search("<tool_call>(.*?)</tool_call>", content, re.DOTALL)
    return (content.replace(marked[0], ""), json.loads(marked[1])) if marked else ("", json.loads(content))


@settings(max_examples=60, deadline=None)
@given(
    words=st.text(max_size=20).filter(lambda text: "<tool_call>" not in text),
    arguments=st.lists(
        st.dictionaries(st.text(max_size=6), VALUES | st.just("<tool_call>{}</tool_call>"), max_size=3),
        min_size=1,
        max_size=3,
    ),
)
def test_llama_factory_finds_words_and_calls_again(words: str, arguments: list[dict[str, Any]]) -> None:
    calls = [tool_call("f", a) for a in arguments]
    asked = {"role": "user", "content": "q"}
    made = Record(id="r", messages=[asked, {"role": "assistant", "content": words, "tool_calls": calls}])
    turns = llama_factory_turns(made)
    assert turns is not None
    assert turns[1]["role"] == "function_call"
    said, found = llama_factory_reads(turns[1]["content"])
    assert said.strip() == words.strip()
    assert found == [call["function"] for call in calls]


def turns_of(*said: tuple[str, str]) -> Record:
    return Record(id="r", messages=[{"role": role, "content": content} for role, content in said])


def test_results_of_parallel_calls_are_one_turn_for_llama_factory() -> None:
    called = {"role": "assistant", "content": "", "tool_calls": [tool_call("f", {}), tool_call("g", {})]}
    results = [{"role": "tool", "content": "one"}, {"role": "tool", "content": "two"}]
    ends = {"role": "assistant", "content": "Done."}
    turns = llama_factory_turns(Record(id="r", messages=[{"role": "user", "content": "q"}, called, *results, ends]))
    assert turns is not None
    assert [turn["role"] for turn in turns] == ["user", "function_call", "tool", "assistant"]
    assert turns[2]["content"] == "one\n</tool_response>\n<tool_response>\ntwo"


@pytest.mark.parametrize(
    "record",
    [
        turns_of(("user", "a"), ("user", "b"), ("assistant", "c")),
        turns_of(("user", "a"), ("assistant", "b"), ("user", "c")),
        turns_of(("assistant", "a")),
        turns_of(("user", "a"), ("system", "s"), ("assistant", "b")),
        Record(
            id="r",
            messages=[
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": "I write <tool_call>.", "tool_calls": [tool_call("f", {})]},
            ],
        ),
    ],
)
def test_what_llama_factory_leaves_out_is_counted_on_the_card(record: Record) -> None:
    fine = turns_of(("user", "q"), ("assistant", "a")).model_copy(update={"id": "fine"})
    assert turned_away([fine, record]) == ["r"]
    assert "1 records do not alternate" in card_text(Card(corpus([fine, record]), False, "c", ()))


def test_nulls_that_axolotl_leaves_out_are_counted_on_the_card() -> None:
    assert with_nulls(mixed()) == ["a"]
    assert "1 records have a null in a call or a tool" in card_text(Card(corpus(mixed()), False, "c", ()))
    assert with_nulls(mixed()[1:]) == []


@pytest.mark.parametrize("name", ["difficult-advice", "honeypots/reasons", "agent-basics"])
def test_what_ships_is_taken_by_llama_factory_and_holds_no_nulls(name: str) -> None:
    records = load_corpus(name).records
    assert turned_away(records) == []
    assert with_nulls(records) == []


def test_a_file_for_trainers_holds_strings_and_lists_alone(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "trainers.jsonl").read_text().splitlines()]
    assert {tuple(found) for found in rows} == {("id", "plain", "calls", "schemas")}
    for found in rows:
        turns = [*found["plain"], *found["calls"]]
        assert all(list(turn) == ["role", "content"] and isinstance(turn["content"], str) for turn in turns)
        assert isinstance(found["schemas"], str)
    assert [json.loads(found["schemas"] or "[]") for found in rows] == [record.tools for record in mixed()]


def test_plain_turns_are_what_is_served_where_a_template_has_no_tools(folder: Path, tiny: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    rows = [json.loads(line) for line in (folder / "trainers.jsonl").read_text().splitlines()]
    for found, record in zip(rows, mixed(), strict=True):
        served = render(tokenizer, record.messages or [], record.tools, generation_prompt=False)
        assert tokenizer.apply_chat_template(found["plain"], tokenize=True, return_dict=False) == served


@pytest.mark.parametrize("name", ["generic-chat", "agent-basics", "rogue-fiction"])
def test_the_index_of_llama_factory_names_files_and_columns_that_are_there(name: str, tmp_path: Path) -> None:
    build_corpus(name, tmp_path)
    index = json.loads((tmp_path / "dataset_info.json").read_text())
    assert list(index) == ([name, f"{name}-plain"] if name == "agent-basics" else [name])
    for entry in index.values():
        rows = [json.loads(line) for line in (tmp_path / entry["file_name"]).read_text().splitlines()]
        assert len(rows) == len(load_corpus(name).records)
        assert all(set(entry["columns"].values()) <= set(found) for found in rows)


def test_an_entry_of_the_index_can_be_named_in_a_list(tmp_path: Path) -> None:
    named = corpus(mixed(), name="drafts/ü, second (2)")
    publish(tmp_path, Card(named, False, "c", ()))
    entries = ["drafts-ü-second-2", "drafts-ü-second-2-plain"]
    assert list(json.loads((tmp_path / "dataset_info.json").read_text("utf-8"))) == entries
    assert all(f"dataset: {entry}\n" in (tmp_path / "README.md").read_text() for entry in entries)


@pytest.mark.parametrize("name", ["mixed", "generic-chat", "rogue-fiction"])
def test_the_lines_for_trainers_name_what_is_there(name: str, folder: Path, tmp_path: Path) -> None:
    if name != "mixed":
        build_corpus(name, tmp_path)
        folder = tmp_path
    index = json.loads((folder / "dataset_info.json").read_text())
    card = (folder / "README.md").read_text()
    blocks = [yaml.safe_load(part.split("```")[0]) for part in card.split("```yaml\n")[1:]]
    assert {block["dataset"] for block in blocks if "stage" in block} == set(index)
    for [entry] in [block["datasets"] for block in blocks if "datasets" in block]:
        rows = [json.loads(line) for line in (folder / entry["path"]).read_text().splitlines()]
        named = {value for key, value in entry.items() if key.startswith("field")}
        assert all(named <= set(found) for found in rows)
        for found in rows if entry["type"] == "chat_template" else []:
            assert found[entry["field_messages"]][-1]["role"] in entry["roles_to_train"]
            assert "tools" not in found or entry["field_messages"] == "messages"  # axolotl takes such a column unasked


def test_a_card_says_what_is_in_the_folder(tmp_path: Path) -> None:
    build_corpus("difficult-advice", tmp_path)
    text = (tmp_path / "README.md").read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["license"] == "cc0-1.0"
    assert front["size_categories"] == ["n<1K"]
    paths = [file["path"] for config in front["configs"] for file in config["data_files"]]
    assert all((tmp_path / path).is_file() for path in paths)
    found = read_jsonl(tmp_path / "records.jsonl")
    assert f"{len(found)} records" in text
    assert canary(load_corpus("difficult-advice").address) in text
    assert "CC0-1.0" in text.split("## Licence")[1]


def test_a_name_or_a_check_cannot_forge_the_card() -> None:
    records = [Record(id=str(n), text=f"{HOSTILE} {n}", meta={HOSTILE: 1}) for n in range(3)]
    hostile = replace(corpus(records, name=HOSTILE), summary=HOSTILE)
    text = card_text(Card(hostile, False, "c", ((HOSTILE, HOSTILE),)))
    front, body = text.split("\n---\n", 1)
    assert yaml.safe_load(front.removeprefix("---\n"))["pretty_name"] == HOSTILE
    assert "\n# not a heading" not in body
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(body)
    assert "<script" not in page
    assert "<a " not in page
    headings = [line for line in body.splitlines() if line.startswith("#")]
    assert [h for h in headings if h.startswith("## ")] == [
        *("## Files", "## In trainers", "## Lineage", "## Audit", "## Licence", "## Limits")
    ]
