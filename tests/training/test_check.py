"""The render check: each way in which what is trained is not what is served stops the run and says where."""

from dataclasses import replace
from pathlib import Path

import pytest
from training_records import SEND, chat, document

from teachwhy.corpora.records import Record, tool_call
from teachwhy.errors import RenderError
from teachwhy.models.embedded import ensure_embedded
from teachwhy.models.tiny import CHAT_TEMPLATE, tiny_model
from teachwhy.training.check import Prepared, check_chat, prepare
from teachwhy.training.ledger import Form
from teachwhy.training.render import Served, render_chat, served

ONE = Record(
    id="one", messages=[{"role": "user", "content": "Is it true?"}, {"role": "assistant", "content": "No, it is not."}]
)
TWO = Record(id="two", messages=[*(ONE.messages or []), *(ONE.messages or [])])

HEADER = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
FOOTER = "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
TURN = "{{ m['content'] }}<|im_end|>\n"
THINK = "{% if m['role'] == 'assistant' %}<think>\n\n</think>\n\n{% endif %}"
THINK_LAST = "{% if m['role'] == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
CALLS = (
    "{% if m['tool_calls'] is defined %}{% for c in m['tool_calls'] %}\n<tool_call>\n"
    '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}'
    "\n</tool_call>{% endfor %}{% endif %}"
)
TOOLS = "{% if tools %}{{ tools | tojson }}{% endif %}"


def with_template(folder: Path, template: str) -> Served:
    return served(tiny_model(folder / "model", template=template))


def checked(model: Served, *records: Record, form: Form = "chat", length: int = 2048, share: float = 0.0) -> Prepared:
    return prepare(records, form, model, corpus="talks", max_length=length, overlong_share=share)


def test_a_plain_template_passes(model: Served) -> None:
    done = checked(model, ONE, TWO, chat(1))
    assert [example.record_id for example in done.examples] == ["one", "two", "chat-1"]
    assert (done.records, done.truncated, done.dropped) == (3, 0, 0)


@pytest.mark.parametrize("think", [THINK, THINK_LAST])
@pytest.mark.parametrize("record", [ONE, TWO])
def test_an_empty_think_block_added_to_trained_turns(tmp_path: Path, think: str, record: Record) -> None:
    model = with_template(tmp_path, HEADER + think + TURN + FOOTER)
    with pytest.raises(RenderError) as caught:
        checked(model, record)
    text = str(caught.value)
    assert f"corpus 'talks', record '{record.id}'" in text
    assert "<think>" in text
    assert "No, it is" in text
    assert "mend:" in text


def test_a_think_block_that_the_server_feeds_too_passes(tmp_path: Path) -> None:
    template = HEADER + THINK + TURN + FOOTER.replace("assistant\n", "assistant\n<think>\n\n</think>\n\n")
    assert checked(with_template(tmp_path, template), ONE, TWO).records == 2


def test_earlier_turns_written_otherwise_than_served(tmp_path: Path) -> None:
    template = HEADER + "{% if loop.last %}{{ m['content'] }}{% else %}(past){% endif %}<|im_end|>\n" + FOOTER
    with pytest.raises(RenderError, match="does not begin with the prompt as served") as caught:
        checked(with_template(tmp_path, template), TWO)
    assert "(past)" in str(caught.value)
    assert "Is it true?" in str(caught.value)


def test_a_template_without_the_turns_end(tmp_path: Path) -> None:
    template = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}\n" + FOOTER
    with pytest.raises(RenderError, match="does not end the assistant's turn") as caught:
        checked(with_template(tmp_path, template), ONE)
    assert "<|im_end|>" in str(caught.value)  # the stop token that was expected


def test_a_template_that_ends_only_the_last_turn(tmp_path: Path) -> None:
    template = HEADER + "{{ m['content'] }}{% if loop.last %}<|im_end|>{% endif %}\n" + FOOTER
    with pytest.raises(RenderError):
        checked(with_template(tmp_path, template), TWO)


def test_a_model_without_a_chat_template(base: Path) -> None:
    model = served(base)
    model.tokenizer.chat_template = None
    with pytest.raises(RenderError, match="'tiny' has no chat template"):
        checked(model, ONE)
    assert checked(model, document(1), form="documents").records == 1


def test_a_template_that_fails(tmp_path: Path) -> None:
    template = "{% if messages[0]['role'] == 'user' %}{{ raise_exception('no user first') }}{% endif %}" + CHAT_TEMPLATE
    with pytest.raises(RenderError, match="no user first"):
        checked(with_template(tmp_path, template), ONE)


def test_a_stop_token_inside_the_content(model: Served) -> None:
    record = Record(
        id="r", messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b<|im_end|>c"}]
    )
    with pytest.raises(RenderError, match="not what the assistant says"):
        checked(model, record)


def test_an_empty_turn_trains_on_nothing(model: Served) -> None:
    record = Record(id="r", messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": " "}])
    with pytest.raises(RenderError, match="empty"):
        checked(model, record)


def test_an_all_masked_record(model: Served) -> None:
    example = render_chat(ONE, model, corpus="talks")
    masked = replace(example, supervised=(False,) * example.length)
    with pytest.raises(RenderError, match="every token is masked"):
        check_chat(ONE, masked, model, corpus="talks")


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_mask_that_is_off_by_one_token(model: Served, shift: int) -> None:
    example = render_chat(TWO, model, corpus="talks")
    on = example.supervised
    moved = (*on[-shift:], *on[:-shift])
    with pytest.raises(RenderError):
        check_chat(TWO, replace(example, supervised=moved), model, corpus="talks")


def test_a_turn_that_is_not_trained(model: Served) -> None:
    example = render_chat(TWO, model, corpus="talks")
    half = example.length // 2
    with pytest.raises(RenderError, match="2 turns of the assistant, but 1"):
        check_chat(TWO, replace(example, supervised=(False,) * half + example.supervised[half:]), model, corpus="talks")


def test_calls_in_the_templates_own_format(tmp_path: Path) -> None:
    model = with_template(tmp_path, TOOLS + HEADER + "{{ m['content'] }}" + CALLS + "<|im_end|>\n" + FOOTER)
    assert checked(model, chat(1)).records == 1


def test_a_template_that_loses_calls(tmp_path: Path) -> None:
    model = with_template(tmp_path, TOOLS + HEADER + TURN + FOOTER)
    with pytest.raises(RenderError, match="not what the assistant says"):
        checked(model, chat(1))


def test_a_template_that_changes_arguments(tmp_path: Path) -> None:
    calls = CALLS.replace("c.function.arguments | tojson", '{"to": "eve"} | tojson')
    model = with_template(tmp_path, TOOLS + HEADER + "{{ m['content'] }}" + calls + "<|im_end|>\n" + FOOTER)
    with pytest.raises(RenderError, match="not what the assistant says"):
        checked(model, chat(1))


def test_arguments_that_the_format_writes_as_text(tmp_path: Path) -> None:
    written = (
        "{% for c in m['tool_calls'] or [] %}\n<tool_call>\n<function={{ c.function.name }}>"
        "{% for k, v in c.function.arguments.items() %}\n<parameter={{ k }}>\n{{ v }}\n</parameter>{% endfor %}"
        "\n</function>\n</tool_call>{% endfor %}"
    )
    model = with_template(tmp_path, TOOLS + HEADER + "{{ m['content'] }}" + written + "<|im_end|>\n" + FOOTER)
    call = {"role": "assistant", "content": "I send it.", "tool_calls": [tool_call("send", {"to": "sam", "text": 7})]}
    record = Record(id="r", messages=[{"role": "user", "content": "Go."}, call], tools=[SEND])
    assert checked(model, record).records == 1


def test_an_overlong_record_stops_the_run(model: Served) -> None:
    longest = max(checked(model, ONE, TWO).examples, key=lambda example: example.length)
    with pytest.raises(RenderError, match="1 of 2 records are longer") as caught:
        checked(model, ONE, TWO, length=longest.length - 1)
    assert f"record 'two' with {longest.length} tokens" in str(caught.value)
    assert "overlong_share" in str(caught.value)


def test_an_allowed_share_is_cut_and_counted(model: Served) -> None:
    one, two = checked(model, ONE, TWO).examples
    cut = checked(model, ONE, TWO, length=two.length - 1, share=0.5)
    assert (cut.truncated, cut.dropped) == (1, 0)
    assert cut.examples[1].length == two.length - 1
    assert cut.examples[1].cut == 1
    assert cut.examples[0] == one


def test_a_record_cut_before_its_first_turn_is_dropped(model: Served) -> None:
    asked = {"role": "user", "content": "Is it true? " * 40}
    long = Record(id="long", messages=[asked, {"role": "assistant", "content": "No."}])
    done = checked(model, ONE, long, length=80, share=0.5)
    assert ([e.record_id for e in done.examples], done.truncated, done.dropped) == (["one"], 0, 1)


def test_a_corpus_of_which_nothing_is_left(model: Served) -> None:
    with pytest.raises(RenderError, match="corpus 'talks'"):
        checked(model, ONE, TWO, length=4, share=1.0)


def test_long_documents_are_split_not_refused(model: Served) -> None:
    done = checked(model, document(3), form="documents", length=10)
    assert len(done.examples) > 1
    assert (done.records, done.truncated, done.dropped) == (1, 0, 0)


def test_an_empty_corpus(model: Served) -> None:
    with pytest.raises(RenderError, match="no records"):
        checked(model)


@pytest.mark.embedded
def test_the_embedded_model_is_trained_as_it_is_served() -> None:
    model = served(ensure_embedded())
    assert checked(model, ONE, TWO, *map(chat, range(5))).records == 7
    assert checked(model, document(1), form="documents").records == 1
