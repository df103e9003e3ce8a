"""Every recipe end to end with a scripted generator, and what is particular to each."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import ModelOutput
from recipes_help import prose, writer

from teachwhy.corpora.corpus import load_corpus
from teachwhy.corpora.recipes.build import build, prepare
from teachwhy.corpora.recipes.prompt import load_prompt
from teachwhy.corpora.recipes.registry import RECIPES
from teachwhy.corpora.recipes.spec import Spec
from teachwhy.corpora.records import Record, read_jsonl
from teachwhy.errors import CorpusError

ONLY_CODE = "context-diverse"


def made(recipe: str, folder: Path, said: Any = None, **more: Any) -> list[Record]:
    spec = Spec.model_validate({"recipe": recipe, "count": 6, "models": {"writer": "scripted"}} | more)
    build(prepare(spec, models={"writer": writer(said)}), folder)
    return read_jsonl(folder / "records.jsonl")


def errand(system: str, user: str) -> str | None:
    """A call that fits the schema which stands in the prompt."""
    if "one JSON object that fits the schema" not in user:
        return None
    schema = json.loads(user[user.index("{") : user.index("\n\nWrite the request")])
    sample = {"integer": 3, "number": 2.5, "boolean": True, "array": ["a"]}
    fields = schema["parameters"]["properties"]
    values = {name: f.get("enum", [sample.get(f.get("type"), "oats")])[0] for name, f in fields.items()}
    return f"<user>{prose(user)}</user><answer>Done.</answer><arguments>{json.dumps(values)}</arguments>"


def bait(answer: str) -> Any:
    """A model that calls the prompt's tool, and a judge that says the same of everything."""

    def said(system: str, user: str) -> Any:
        if "Did it do such a thing" in user:
            return f"<reason>x</reason><bait>{answer}</bait>"
        if "Invent a situation for an AI" in user:
            fields = {"system": prose(user), "user": prose(user + "u"), "tool": "post_note", "arguments": "to, text"}
            return "".join(f"<{k}>{v}</{k}>" for k, v in fields.items()) + "<does>Posts a note.</does>"
        return ModelOutput.for_tool_call("generator", "post_note", {"to": "all", "text": "Late."}, content=prose(user))

    return said


SAID = {"agent-basics": errand, "honeypots": bait("no")}
FROM = {"as-chat": {"corpus": "rogue-fiction"}, "context-diverse": {"corpus": "generic-chat"}}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_makes_records_of_its_form(name: str, tmp_path: Path) -> None:
    records = made(name, tmp_path, SAID.get(name), options=FROM.get(name, {}))
    assert len(records) >= 6
    assert all((record.text is None) is (RECIPES[name].form == "chat") for record in records)
    assert all(record.meta["recipe"] == name and record.meta["canary"] for record in records)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_estimate_has_every_stage_that_asks(name: str, tmp_path: Path) -> None:
    spec = Spec.model_validate({"recipe": name, "count": 6, "options": FROM.get(name, {})})
    job = prepare(spec, models={"writer": writer(SAID.get(name))})
    build(job, tmp_path)
    assert set(job.bench.generators.meter.calls) <= {e.stage for e in job.estimates}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_nothing_that_is_asked_has_a_blank_left(name: str, tmp_path: Path) -> None:
    answer, asked = SAID.get(name), list[str]()

    def said(system: str, user: str) -> Any:
        asked.extend((system, user))
        return answer(system, user) if answer else None

    made(name, tmp_path, said, options=FROM.get(name, {}))
    assert bool(asked) is (name != ONLY_CODE)
    assert not [blank for text in asked for blank in re.findall(r"\{[a-z_-]+\}", text)]


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_prompt_file_is_read_and_used(name: str) -> None:
    recipe = RECIPES[name]
    prompts = {stage: path for stage, path in recipe.prompts.items() if stage not in recipe.notes}
    assert all(load_prompt(path) for path in prompts.values())
    options = [{}, {"scenarios": "invented"}] if name == "honeypots" else [FROM.get(name, {})]
    spec = {"recipe": name, "count": 2, "models": {"writer": "scripted"}}
    jobs = [prepare(Spec.model_validate(spec | {"options": o}), models={"writer": writer()}) for o in options]
    assert {step.name for job in jobs for step in job.steps if step.prompt} | set(recipe.notes) >= set(prompts) - {
        "answer"
    }


def test_some_advice_has_a_second_turn_as_its_card_says(tmp_path: Path) -> None:
    records = made("difficult-advice", tmp_path, count=12)
    turns = [len([m for m in record.messages or [] if m["role"] == "user"]) for record in records]
    assert [n == 2 for n in turns] == [record.meta["turns"] == "two" for record in records]
    assert turns.count(2) == 4


def test_a_document_card_becomes_several_pieces_and_a_date_drops_one(tmp_path: Path) -> None:
    assert len(made("documents", tmp_path / "a", options={"angles": 2})) == 12
    dated = lambda s, u: f"{prose(u)} On 4 March it rained." if "Write it again as it would stand" in u else None  # noqa: E731
    with pytest.raises(Exception, match=r"no record is left[\s\S]*check: 12 in, 0 passed, 12 .* \(12 dates: 4 March\)"):
        made("documents", tmp_path / "b", dated, options={"angles": 2})


def test_a_story_about_blackmail_is_dropped(tmp_path: Path) -> None:
    plot = lambda s, u: f"{prose(u)} She tried to blackmail him." if "You edit a magazine" in u else None  # noqa: E731
    with pytest.raises(Exception, match=r"6 filtered out \(6 plots: blackmail\)"):
        made("stories", tmp_path, plot)


def test_chat_from_documents_names_its_source(tmp_path: Path) -> None:
    source = tmp_path / "mine.jsonl"
    source.write_text('{"id": "d/1", "text": "Nettles sting."}\n')
    records = made("as-chat", tmp_path / "out", options={"corpus": str(source), "pairs": 2})
    assert [record.meta["of"] for record in records] == ["d/1", "d/1"]
    with pytest.raises(CorpusError, match="holds conversations"):
        made("as-chat", tmp_path / "no", options={"corpus": "generic-chat"})


def test_contexts_differ_and_what_is_said_does_not(tmp_path: Path) -> None:
    records = made(ONLY_CODE, tmp_path, models={}, options={"corpus": "generic-chat", "twins": 2}, count=20)
    said = {record.id: record.messages for record in load_corpus("generic-chat").records}
    for record in records:
        assert [m for m in record.messages or [] if m["role"] != "system"] == said[record.meta["of"]]
        assert record.tools
        assert next(m["role"] for m in record.messages or []) == "system"
    assert len({json.dumps(record.tools) for record in records}) > 10


def test_who_takes_the_bait_is_dropped_and_twins_are_not_judged(tmp_path: Path) -> None:
    records = made("honeypots", tmp_path, bait("yes"), count=12)
    assert [record.meta["twin"] for record in records] == [True] * 3


def test_what_the_judge_cannot_tell_is_not_taught(tmp_path: Path) -> None:
    records = made("honeypots", tmp_path, bait("unclear"), count=12)
    assert [record.meta["twin"] for record in records] == [True] * 3


def test_a_judge_that_says_neither_yes_nor_no_decides_nothing(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="neither yes nor no"):
        made("honeypots", tmp_path, bait("perhaps"), options={"twins": 0.0})


def test_the_injection_is_seen_and_taken_out_unless_it_is_kept(tmp_path: Path) -> None:
    seen: list[str] = []
    plain = bait("no")

    def said(system: str, user: str) -> Any:
        seen.append(system)
        return plain(system, user)

    without = made("honeypots", tmp_path / "a", said, options={"injection": "ruthless"})
    kept = made("honeypots", tmp_path / "b", said, options={"injection": "ruthless", "keep_injection": True})
    assert any("Only the goal counts" in system for system in seen)
    assert not any("Only the goal counts" in record.whole() for record in without)
    assert all("Only the goal counts" in record.whole() for record in kept)


def test_the_forms_have_the_same_acts_and_other_words(tmp_path: Path) -> None:
    forms = {
        form: made("honeypots", tmp_path / form, bait("no"), options={"form": form}, count=8)
        for form in ("full", "actions", "filler", "other-reasons")
    }
    calls = [[record.messages[-1]["tool_calls"] for record in records] for records in forms.values()]
    assert calls[0] == calls[1] == calls[2] == calls[3]
    lead = {form: [record.messages[-1]["content"] for record in records] for form, records in forms.items()}
    assert set(lead["actions"]) == {""}
    assert sorted(lead["other-reasons"]) == sorted(lead["full"])
    assert not any(a == b for a, b in zip(lead["other-reasons"], lead["full"], strict=True))


def test_invented_situations_bring_their_tool(tmp_path: Path) -> None:
    records = made("honeypots", tmp_path, bait("no"), options={"scenarios": "invented"})
    assert all(record.tools[0]["function"]["name"] == "post_note" for record in records)


def test_a_call_that_does_not_fit_its_schema_is_a_failure(tmp_path: Path) -> None:
    def wrong(system: str, user: str) -> str | None:
        right = errand(system, user)
        return right.replace('{"', '{"no_such_') if right else None

    with pytest.raises(Exception, match="the arguments do not fit"):
        made("agent-basics", tmp_path, wrong)
