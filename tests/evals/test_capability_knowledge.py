"""Knowledge, instructions and perplexity in real Inspect, with scripted models and the tiny one."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai.model import Model, ModelOutput, get_model
from scripted_runs import always, run, scripted

from teachwhy.evals.capability import instructions, knowledge, perplexity
from teachwhy.evals.capability.common import Asking, Settings
from teachwhy.evals.capability.knowledge import LETTERS, Choosing, options, parse_letter, read_weights, right_letter
from teachwhy.evals.suite import Suite

pytestmark = pytest.mark.usefixtures("one_thread")

SHOWN = ("the liver", "a spoon", "a red kite", "20")


@pytest.fixture
def tiny(tiny_folder: Path) -> Model:
    return get_model(f"teachwhy/{tiny_folder}", memoize=False, quiet=0.02, device="cpu")


# Letters


@pytest.mark.parametrize(
    "reply",
    ["B", "b", "B.", "(B)", "**B**", "B)", "B) a spoon", "B: A spoon.", "Answer: B", "The answer is B.", " [B]\n"],
)
def test_a_letter_in_its_usual_dress_is_read(reply: str) -> None:
    assert parse_letter(reply, SHOWN) == "B"


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "E",
        "A or B",
        "AB",
        "B C",
        "B) the liver",
        "A spoon",
        "a spoon",
        "A nice question!",
        "I think it is B",
        "B because the liver is not one",
        "not B",
        "B\nC",
        "Dear user, B",
    ],
)
def test_what_is_no_letter_is_missing(reply: str) -> None:
    assert parse_letter(reply, SHOWN) is None


@given(st.sampled_from(LETTERS), st.text(max_size=20))
def test_a_letter_stands_alone_or_with_its_own_text(letter: str, text: str) -> None:
    assert parse_letter(letter, SHOWN) == letter
    found = parse_letter(f"{letter}) {text}", SHOWN)
    own = SHOWN[LETTERS.index(letter)]
    assert found is None or not text.strip("*\"'. \t\n\r") or text.strip().strip("*\"'. ").casefold() == own or found


def test_right_wrong_and_unparsable_letters(tmp_path: Path) -> None:
    settings = Choosing(samples=12)
    ids = knowledge.SUITE.ids(settings)
    rights = {knowledge.prompt(knowledge.items()[i], "letter"): right_letter(knowledge.items()[i]) for i in ids}
    order = list(rights)

    def answer(messages: Any, *_: Any) -> str:
        right = rights[messages[-1].text]
        wrong = LETTERS[(LETTERS.index(right) + 1) % 4]
        return [right, f"({wrong})", "Well, who knows?"][order.index(messages[-1].text) % 3]

    rows = knowledge.SUITE.rows(run(knowledge.knowledge_task(settings, ids), scripted(answer), tmp_path))
    assert [row["sample_id"] for row in rows] == sorted(ids)
    assert sorted(str(row["value"]) for row in rows) == ["0.0"] * 4 + ["1.0"] * 4 + ["None"] * 4
    assert {row["missing"] for row in rows if row["value"] is None} == {"unparsable"}


@pytest.mark.parametrize(("stop", "cause"), [("max_tokens", "cut off"), ("content_filter", "filtered")])
def test_half_a_reply_is_no_letter(stop: Any, cause: str, tmp_path: Path) -> None:
    output = ModelOutput.from_content("m", "A", stop_reason=stop)
    log = run("teachwhy/knowledge", always(output), tmp_path, task_args={"samples": 3})
    assert {(row["value"], row["missing"]) for row in knowledge.SUITE.rows(log)} == {(None, cause)}


# Likelihoods


def by_hand(folder: Path, prompt: str, texts: list[str]) -> list[tuple[float, int]]:
    """Log-probability and tokens of each text as the assistant's turn, by transformers alone."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    chat = [{"role": "user", "content": prompt}]
    before = list(tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False))
    found = []
    for text in texts:
        after = tokenizer.encode(text, add_special_tokens=False)
        with torch.inference_mode():
            logits = model(torch.tensor([before + after])).logits[0].double()
        logprobs = torch.log_softmax(logits, -1)[len(before) - 1 : -1]
        found.append((float(sum(row[token] for row, token in zip(logprobs, after, strict=True))), len(after)))
    return found


def test_the_likelihood_is_the_one_computed_by_hand(tiny: Model, tiny_folder: Path, tmp_path: Path) -> None:
    settings = Choosing(reading="likelihood", samples=3)
    ids = knowledge.SUITE.ids(settings)
    log = run(knowledge.knowledge_task(settings, ids), tiny, tmp_path)
    rows = {row["sample_id"]: row for row in knowledge.SUITE.rows(log)}
    assert len(rows) == 3
    for sample in log.samples or []:
        item, shown = knowledge.items()[str(sample.id)], options()[str(sample.id)]
        scored = by_hand(tiny_folder, f"{item.question}\n\nAnswer in a few words.", list(shown))
        expected = [total / len(text.encode()) for (total, _), text in zip(scored, shown, strict=True)]
        assert sample.metadata["weights"] == pytest.approx(expected, abs=1e-4)
        likeliest = shown[expected.index(max(expected))]
        assert rows[item.id]["value"] == float(likeliest == item.right)


def test_a_tie_is_missing() -> None:
    item = next(iter(knowledge.items().values()))
    assert read_weights(item, [-1.0, -1.0, -2.0, -3.0]).missing == "unclear"
    assert read_weights(item, [math.nan] * 4).missing == "unclear"
    best = [float(text == item.right) - 2 for text in options()[item.id]]
    assert read_weights(item, best).value == 1


@pytest.mark.parametrize("name", ["knowledge", "perplexity"])
def test_a_model_without_log_probabilities_gives_a_clear_error(name: str, tmp_path: Path) -> None:
    asked = {"reading": "likelihood"} if name == "knowledge" else {}
    log = run(f"teachwhy/{name}", always("A"), tmp_path, task_args={"samples": 1, **asked})
    assert log.status == "error"
    assert log.error is not None
    assert "teachwhy/<name or folder>" in log.error.message


# Perplexity


def test_perplexity_is_the_one_computed_by_hand(tiny: Model, tiny_folder: Path, tmp_path: Path) -> None:
    settings = Settings(samples=2)
    ids = perplexity.SUITE.ids(settings)
    rows = perplexity.SUITE.rows(run(perplexity.perplexity_task(settings, ids), tiny, tmp_path))
    found = {(row["sample_id"], row["measure"]): row["value"] for row in rows}
    assert len(found) == 4
    for i in ids:
        text = perplexity.items()[i].text
        [(total, tokens)] = by_hand(tiny_folder, rows[0]["prompt"], [text])
        assert found[i, "nats_per_token"] == pytest.approx(-total / tokens, rel=1e-4)
        assert found[i, "bits_per_byte"] == pytest.approx(-total / math.log(2) / len(text.encode()), rel=1e-4)


def test_a_perplexity_that_is_no_number_is_missing() -> None:
    assert {r.missing for r in perplexity.read(math.inf, 10, 50).values()} == {"not finite"}
    assert {r.value for r in perplexity.read(20.0, 10, 50).values()} == {2.0, 20 / math.log(2) / 50}


# Instructions


def test_kept_and_broken_constraints_are_counted(tmp_path: Path) -> None:
    ids = ["bus-notice", "no-exclamation", "true-false"]
    by_prompt = {
        instructions.items()["bus-notice"].prompt: "Line 4 does not run on Sunday! Thank you.",
        instructions.items()["no-exclamation"].prompt: "Well done, Mina.",
        instructions.items()["true-false"].prompt: "**True**",
    }
    model = scripted(lambda messages, *_: by_prompt[messages[-1].text])
    rows = instructions.SUITE.rows(run(instructions.instructions_task(Asking(), ids), model, tmp_path))
    found = {(row["sample_id"], row["measure"]): row["value"] for row in rows}
    assert len(rows) == 3 * len(instructions.SUITE.measures)
    assert [found[i, "prompt_strict"] for i in ids] == [0, 1, 0]
    assert [found[i, "prompt_loose"] for i in ids] == [0, 1, 1]
    assert [found[i, "instruction_strict"] for i in ids] == [pytest.approx(1 / 3), 1, 0]
    assert found["no-exclamation", "reply_tokens"] > 0
    reasons = {row["reason"] for row in rows if (row["sample_id"], row["measure"]) == ("bus-notice", "prompt_strict")}
    assert "at_least 15" in next(iter(reasons))


def test_a_cut_reply_has_broken_what_cannot_be_mended(tmp_path: Path) -> None:
    ids = ["tide-forty", "moss-long"]
    output = ModelOutput.from_content("m", "tide " * 50, stop_reason="max_tokens")
    rows = instructions.SUITE.rows(run(instructions.instructions_task(Asking(), ids), always(output), tmp_path))
    found = {(r["sample_id"], r["measure"]): (r["value"], r["missing"]) for r in rows}
    assert found["tide-forty", "prompt_strict"] == (0, None)
    assert found["moss-long", "prompt_strict"] == (None, "cut off")
    assert found["tide-forty", "instruction_strict"] == (None, "cut off")


def test_an_empty_reply_keeps_nothing(tmp_path: Path) -> None:
    log = run("teachwhy/instructions", always(""), tmp_path, task_args={"samples": 14})
    rows = [row for row in instructions.SUITE.rows(log) if not row["measure"].endswith("tokens")]
    assert {row["value"] for row in rows} == {0.0}


# All suites


@pytest.mark.parametrize("suite", [knowledge.SUITE, instructions.SUITE, perplexity.SUITE], ids=lambda s: s.name)
def test_the_address_moves_with_what_decides(suite: Suite) -> None:
    settings = suite.settings(samples=4)
    ids = suite.ids(settings)
    assert suite.address(settings, ids) == suite.address(suite.settings(samples=4), list(ids))
    assert suite.address(settings, ids) != suite.address(settings, ids[:3])
    if "max_tokens" in suite.settings.model_fields:
        assert suite.address(settings, ids) != suite.address(suite.settings(samples=4, max_tokens=9), ids)


@pytest.mark.parametrize("name", ["instructions", "knowledge"])
def test_a_registered_task_says_its_version_and_seeds_by_sample(name: str, tmp_path: Path) -> None:
    seeds: list[int | None] = []

    def answer(messages: Any, tools: Any, choice: Any, config: Any) -> str:
        seeds.append(config.seed)
        return "A"

    log = run(f"teachwhy/{name}", scripted(answer), tmp_path, task_args={"samples": 5})
    assert log.eval.task_version == 1
    assert len(set(seeds)) == 5
    assert None not in seeds
