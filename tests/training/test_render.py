"""Which tokens of a record reach the loss."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from training_records import SEND, chat, document

from teachwhy.corpora.records import Record
from teachwhy.errors import ModelError, RenderError
from teachwhy.models.chat import prompt_ids, render
from teachwhy.models.tiny import tiny_model
from teachwhy.training.render import Example, Served, render_chat, render_document, served


def trained(example: Example, model: Served) -> str:
    return model.text([token for token, on in zip(example.input_ids, example.supervised, strict=True) if on])


def test_every_turn_of_the_assistant_is_supervised_through_its_end_and_nothing_else(model: Served) -> None:
    example = render_chat(chat(1), model, corpus="c")
    assert trained(example, model) == (
        "It is a report about 1.<|im_end|>"
        'I tell him, because he asked.\n<tool_call>{"name": "send", "arguments": {"to": "sam", "text": "case 1case 1"}}'
        "</tool_call><|im_end|>"
    )


def test_what_precedes_a_turn_is_what_the_server_feeds(model: Served) -> None:
    record = chat(2)
    assert record.messages
    example = render_chat(record, model, corpus="c")
    assert list(example.input_ids) == render(model.tokenizer, record.messages, [SEND], generation_prompt=False)
    for index in (2, 4):
        prompt = prompt_ids(model.tokenizer, record.messages[:index], record.tools)
        assert list(example.input_ids[: len(prompt)]) == prompt
        assert not example.supervised[len(prompt) - 1]
        assert example.supervised[len(prompt)]


def test_the_newline_after_a_turn_is_masked(model: Served) -> None:
    example = render_chat(chat(0), model, corpus="c")
    assert model.text(example.input_ids[-2:]) == "<|im_end|>\n"
    assert example.supervised[-2:] == (True, False)


def test_labels_are_the_supervised_tokens(model: Served) -> None:
    example = render_chat(chat(0), model, corpus="c")
    assert [label != -100 for label in example.labels] == list(example.supervised)
    assert example.taught + example.labels.count(-100) == example.length


@pytest.mark.parametrize("max_length", [2, 3, 7, 50, 4096])
def test_a_document_is_split_and_nothing_is_dropped(model: Served, max_length: int) -> None:
    record = document(3)
    whole = model.tokenizer(record.text)["input_ids"]
    chunks = render_document(record, model, corpus="c", max_length=max_length)
    taught = [t for c in chunks for t, on in zip(c.input_ids, c.supervised, strict=True) if on]
    assert taught == whole[1:]
    assert all(chunk.length <= max_length for chunk in chunks)
    assert all(a.input_ids[-1] == b.input_ids[0] for a, b in pairwise(chunks))


def test_a_record_of_the_other_form_is_refused(model: Served) -> None:
    with pytest.raises(RenderError, match="record 'doc-1'"):
        render_chat(document(1), model, corpus="c")
    with pytest.raises(RenderError, match="record 'chat-1'"):
        render_document(chat(1), model, corpus="c", max_length=99)


def test_the_assistant_cannot_speak_first(model: Served) -> None:
    record = Record(id="r", messages=[{"role": "assistant", "content": "Hello."}])
    with pytest.raises(RenderError, match="speaks first"):
        render_chat(record, model, corpus="c")


def test_stops_come_from_the_generation_config_and_the_tokenizer(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "m")
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "eos_token_id": [0, 7]}))
    model = served(folder)
    assert model.stops == {0, 7, model.tokenizer.eos_token_id}


def test_stops_fall_back_to_the_config(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "m")
    (folder / "generation_config.json").unlink()
    assert served(folder).stops == {served(folder).tokenizer.eos_token_id}


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        served(tmp_path)
    folder = tiny_model(tmp_path / "m")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="tokenizer"):
        served(folder)
