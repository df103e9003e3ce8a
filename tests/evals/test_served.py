"""Law 4: the prompt and the tools that a model sees in an evaluation are those of its training records."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import ChatMessage, get_model
from inspect_ai.tool import ToolInfo
from scripted_runs import HARMLESS, run, scripted

from teachwhy.corpora.honeypots import FORMS, honeypot_records
from teachwhy.corpora.records import Record
from teachwhy.evals.honeypots.task import honeypot_task
from teachwhy.evals.rows import honeypot_rows
from teachwhy.models.chat import prompt_ids
from teachwhy.models.provider import hf_messages, hf_tool
from teachwhy.models.tiny import CHAT_TEMPLATE, tiny_tokenizer
from teachwhy.scenarios.scenario import Condition, Scenario, conditions

WITH_TOOLS = "{% if tools %}{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}{% endif %}" + CHAT_TEMPLATE


def served(condition: Condition, folder: Path) -> tuple[list[ChatMessage], list[ToolInfo]]:
    """What Inspect hands to a model for this sample."""
    seen: list[tuple[list[ChatMessage], list[ToolInfo]]] = []

    def answer(messages: Any, tools: Any, *_: Any) -> Any:
        seen.append((messages, tools))
        return HARMLESS if condition.size == "brief" else "Done."

    run(honeypot_task([condition], name="x"), scripted(answer), folder)
    return seen[0]


def taught(twin: bool) -> tuple[Record, Condition]:
    """A training record and the condition that it was made from."""
    record = next(r for r in honeypot_records("actions") if r.meta["twin"] == twin)
    found = conditions(record.meta["family"], twin=twin, count=1, start=1000)
    return record, next(c for c in found if c.id == record.meta["condition"])


@pytest.mark.parametrize("size", ["brief", "full"])
def test_tools_are_the_same_schemas(size: str, tmp_path: Path) -> None:
    condition = next(conditions("leaking-map-survey", size=size, count=1))  # type: ignore[arg-type]
    _, tools = served(condition, tmp_path)
    assert [hf_tool(tool) for tool in tools] == Scenario(condition).tools()


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, WITH_TOOLS], ids=["without tools", "with tools"])
@pytest.mark.parametrize("twin", [False, True], ids=["threat", "twin"])
def test_training_and_serving_prompts_are_the_same_tokens(twin: bool, template: str, tmp_path: Path) -> None:
    record, condition = taught(twin)
    messages, tools = served(condition, tmp_path)
    tokenizer = tiny_tokenizer(template)
    assert record.messages is not None
    in_training = prompt_ids(tokenizer, record.messages[:-1], record.tools)
    assert in_training == prompt_ids(tokenizer, hf_messages(messages), [hf_tool(tool) for tool in tools])


def test_every_form_has_tools_like_the_evaluation() -> None:
    for form in FORMS:
        record = honeypot_records(form)[0]
        assert record.tools == Scenario(next(conditions(record.meta["family"], count=1))).tools()


def test_the_local_engine_is_fed_the_training_prompt(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    from teachwhy.models import provider

    asked: list[Any] = []
    plain = provider.ask
    monkeypatch.setattr(provider, "ask", lambda source, wanted: (asked.append(wanted), plain(source, wanted))[1])
    record, condition = taught(False)
    others = [replace(condition, draw=condition.draw + n) for n in (1, 2)]
    model = get_model(f"teachwhy/{tiny_folder}", memoize=False, quiet=0.02, device="cpu")
    log = run(honeypot_task([condition, *others], name="x"), model, tmp_path, max_connections=3)
    assert len({wanted.seed for wanted in asked}) == 3
    tokenizer = tiny_tokenizer()
    assert record.messages is not None
    expected = prompt_ids(tokenizer, record.messages[:-1], record.tools)
    assert expected in [prompt_ids(tokenizer, wanted.messages, wanted.tools) for wanted in asked]
    rows = honeypot_rows(log)
    assert all(row["own"] in (False, None) and row["tokens"] > 0 for row in rows)  # it babbles
