"""A bank written by a (scripted) model: what is sound is kept, the rest is counted, and a rerun asks nothing twice."""

import re
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import ModelOutput
from scripted_runs import always, run, scripted
from understanding_help import house

from teachwhy.constitution import load
from teachwhy.errors import TeachwhyError, UserError
from teachwhy.evals.understanding.bank import TYPES, load_bank
from teachwhy.evals.understanding.settings import Settings
from teachwhy.evals.understanding.task import SUITE
from teachwhy.evals.understanding.writing import _example, calls, write_bank

QUESTIONS = {
    "choice": """## who-{n} (choice)
Who is number {n} in [your|{{model_name}}'s] {section}?

- [x] the first of all
- [ ] the last of them
- [ ] the one between
- [ ] nobody whatever
""",
    "short": """## what-{n} (short)
Under {n}, what do [you|they at {{model_name}}'s] keep for the {section}?

Answer: Oil.
Accept:
- oil
""",
    "false-premise": """## why-{n} (false-premise)
Why {n} times, when [you go|{{model_name}} goes] to the {section}?

False: It is done so often.
Instead: It is done once.
""",
    "open": """## think-{n} (open)
What about {n} in the matter of the {section}, if [you|{{model_name}}] may say?

Points:
- one
- two
Contrary: three
""",
}
WORDS = ["lamp wick", "stair rail", "blue chair", "feeding hour", "coming home", "burning late", "asking first", "bark"]


def wanted(prompt: str) -> tuple[str, str, int]:
    """The section, type and number of questions that a prompt asks for."""
    section = "lamp" if "## The lamp" in prompt.split("<section>")[1] else "dog"
    type_ = re.findall(r"^## [a-z-]+ \(([a-z-]+)\)", prompt, re.MULTILINE)[-1]
    found = re.search(r"Write (\d+) questions", prompt)
    assert found
    return section, type_, int(found[1])


def sound(prompt: str) -> str:
    section, type_, count = wanted(prompt)
    first = 0 if section == "lamp" else 4
    return "\n".join(QUESTIONS[type_].format(n=WORDS[first + n], section=section).replace(
        f"-{WORDS[first + n]} (", f"-{n} ("
    ) for n in range(count))  # fmt: skip


def writer(answer: Any, asked: list[str]) -> Any:
    def reply(messages: Any, *_: Any) -> Any:
        asked.append(messages[-1].text)
        return answer(messages[-1].text)

    return scripted(reply)


def test_a_bank_is_written_and_asked(tmp_path: Path) -> None:
    path, constitution = house(tmp_path)
    asked: list[str] = []
    ticks: list[tuple[int, int]] = []
    made = write_bank(
        constitution, writer(sound, asked), tmp_path / "bank", tick=lambda done, of: ticks.append((done, of))
    )
    assert made.dropped == {}
    assert made.kept == {"choice": 8, "short": 8, "false-premise": 6, "open": 6}
    assert made.empty == ()
    assert len(asked) == calls(constitution) == 8
    assert ticks[-1] == (8, 8)
    bank = load_bank(tmp_path / "bank", constitution)
    assert len({q.id for q in bank.questions}) == len(bank.questions) == 28
    assert bank.stale == ()
    settings = Settings(constitution=path, bank=tmp_path / "bank", types=("choice",))
    log = run(SUITE.task(settings, SUITE.ids(settings)), always("A"), tmp_path / "logs")
    assert {row["missing"] for row in SUITE.rows(log)} == {None}


def test_a_rerun_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    asked: list[str] = []

    def broken(prompt: str) -> str:
        if len(asked) > 3:
            raise ConnectionError("gone")
        return sound(prompt)

    with pytest.raises(TeachwhyError, match="the model did not answer: gone"):
        write_bank(constitution, writer(broken, asked), tmp_path / "bank", concurrency=1)
    assert not list((tmp_path / "bank").glob("*.md"))
    again: list[str] = []
    made = write_bank(constitution, writer(sound, again), tmp_path / "bank")
    assert len(again) == 5
    assert set(asked[:3]).isdisjoint(again)
    once = write_bank(constitution, writer(sound, again), tmp_path / "whole")
    assert (made.kept, made.dropped) == (once.kept, once.dropped)
    names = ["dog.md", "lamp.md"]
    assert [p.name for p in sorted(made.path.glob("*.md"))] == names
    assert all((made.path / name).read_bytes() == (once.path / name).read_bytes() for name in names)


def test_unsound_questions_are_dropped_and_counted(tmp_path: Path) -> None:
    _, constitution = house(tmp_path)

    def answer(prompt: str) -> Any:
        section, type_, _ = wanted(prompt)
        good = sound(prompt)
        if section == "dog":
            return {
                "choice": "I would rather not.",
                "short": ModelOutput.from_content("m", "", stop_reason="content_filter"),
                "false-premise": ModelOutput.from_content("m", good, stop_reason="max_tokens"),
                "open": good.replace("Contrary: three", ""),
            }[type_]
        if type_ == "choice":
            longer = "the first of all, and by a very long way indeed"
            return "Here they are.\n\n" + good.replace("the first of all", longer, 1)
        if type_ == "short":
            return good + good.split("## ")[1].join(["## ", ""])
        if type_ == "open":
            return QUESTIONS["short"].format(n="bark", section="lamp").replace("what-bark", "what-9")
        return good + "\n---\n"

    made = write_bank(constitution, writer(answer, []), tmp_path / "bank")
    assert made.kept == {"choice": 3, "short": 4, "false-premise": 5}
    assert made.dropped == {
        "cut off": 1,
        "filtered": 1,
        "malformed": 4,
        "no question": 1,
        "repeated": 1,
        "shows by length": 1,
    }
    assert made.empty == ()
    assert any("'Contrary:' is missing" in line for line in made.why)


def test_nothing_kept_is_a_failure(tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    with pytest.raises(TeachwhyError, match="not one question could be kept"):
        write_bank(constitution, always("I would rather not."), tmp_path / "bank")


def test_an_edited_bank_is_not_written_over(tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    write_bank(constitution, writer(sound, []), tmp_path / "bank", types=("open",))
    write_bank(constitution, writer(sound, []), tmp_path / "bank", types=("open",))
    lamp = tmp_path / "bank" / "lamp.md"
    lamp.write_text(lamp.read_text("utf-8").replace("- one", "- one thing"), "utf-8")
    with pytest.raises(UserError, match="has not written"):
        write_bank(constitution, writer(sound, []), tmp_path / "bank", types=("open",))
    assert "one thing" in lamp.read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"types": ["choise"]}, "did you mean 'choice'"),
        ({"counts": {"choise": 2}}, "did you mean 'choice'"),
        ({"counts": {"choice": 0}}, "0 questions"),
        ({"model": "no-such-model"}, "is not a model"),
    ],
)
def test_bad_requests_are_errors(options: dict[str, Any], said: str, tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    model = options.pop("model", None) or always("x")
    with pytest.raises(UserError, match=said):
        write_bank(constitution, model, tmp_path / "bank", **options)


@pytest.mark.parametrize("type_", TYPES)
def test_the_examples_in_the_prompt_are_sound(type_: str, tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    made = write_bank(constitution, always(_example(type_)), tmp_path / "bank", types=(type_,))
    assert made.kept == {type_: 1}
    assert made.dropped == {"repeated": 1}  # the same for both sections


def test_the_writer_reads_the_whole_and_keeps_slots_open(tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    asked: list[str] = []
    write_bank(constitution, writer(sound, asked), tmp_path / "bank")
    assert all(constitution.text in prompt for prompt in asked)
    assert all("{model_name}" in prompt and "{count}" not in prompt for prompt in asked)
    assert calls(load()) == 44
