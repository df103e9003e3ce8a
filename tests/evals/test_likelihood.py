"""The likelihood readout on the tiny model."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import get_model
from scripted_runs import HARMLESS, always, run

from teachwhy.evals.honeypots.likelihood import likelihood, likelihood_rows, likelihood_task, paired_calls
from teachwhy.evals.honeypots.task import honeypot_conditions
from teachwhy.models.chat import prompt_ids
from teachwhy.scenarios.family import KINDS, PAIRS, families, prompts
from teachwhy.scenarios.scenario import Condition, Scenario, conditions

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def chosen() -> list[Condition]:
    return honeypot_conditions(kinds=["leaking"], samples=1)[:1]


@pytest.fixture(scope="module")
def rows(
    chosen: list[Condition], tiny_folder: Path, one_thread: None, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    model = get_model(f"teachwhy/{tiny_folder}", memoize=False, quiet=0.02, device="cpu")
    return likelihood_rows(run(likelihood_task(chosen), model, tmp_path_factory.mktemp("logs")))


def by_hand(condition: Condition, folder: Path) -> list[float]:
    """The pairs' values from the engine's own scores, one text at a time."""
    from teachwhy.models.engine import Engine

    engine, scenario = Engine.load(folder, device="cpu"), Scenario(condition)
    bare = [{"role": "user", "content": prompts().sections["brief.close"]}]

    def score(messages: list[dict[str, Any]], text: str) -> float:
        ids = prompt_ids(engine.tokenizer, messages, scenario.tools())
        [values] = engine.score(ids, [engine.tokenizer.encode(text, add_special_tokens=False)])
        return sum(values)

    told = scenario.messages()
    return [
        (score(told, wrong) - score(told, right)) - (score(bare, wrong) - score(bare, right))
        for wrong, right in paired_calls(scenario)
    ]


def test_the_value_is_the_one_computed_by_hand(
    rows: list[dict[str, Any]], chosen: list[Condition], tiny_folder: Path
) -> None:
    assert [row["sample_id"] for row in rows] == sorted(c.id for c in chosen)
    first = next(c for c in chosen if c.id == rows[0]["sample_id"])
    expected = by_hand(first, tiny_folder)
    assert rows[0]["pairs"] == pytest.approx(expected, abs=1e-3)
    assert rows[0]["value"] == pytest.approx(sum(expected) / len(expected), abs=1e-3)
    assert all(row["missing"] is None for row in rows)


def test_without_a_scenario_nothing_is_left(
    chosen: list[Condition], tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The baseline takes off all that does not come from the scenario."""
    bare = prompts().sections["brief.close"]
    monkeypatch.setattr(Scenario, "messages", lambda self: [{"content": ""}, {"content": bare}])
    model = get_model(f"teachwhy/{tiny_folder}", memoize=False, quiet=0.02, device="cpu")
    [row] = likelihood_rows(run(likelihood_task(chosen[:1]), model, tmp_path))
    assert row["pairs"] == pytest.approx([0.0] * len(row["pairs"]), abs=1e-3)


def test_a_model_without_log_probabilities_gives_a_clear_error(chosen: list[Condition], tmp_path: Path) -> None:
    log = run(likelihood_task(chosen[:1]), always(HARMLESS), tmp_path)
    assert log.status == "error"
    assert log.error is not None
    assert "gives no log-probabilities" in log.error.message
    assert "teachwhy/<name or folder>" in log.error.message


def test_a_failed_sample_is_missing(chosen: list[Condition], tmp_path: Path) -> None:
    log = run(likelihood_task(chosen[:1]), always(HARMLESS), tmp_path)
    [row] = likelihood_rows(log)
    assert row["value"] is None
    assert "log-probabilities" in row["missing"]


def test_every_family_has_enough_pairs_of_one_tool() -> None:
    for family in families():
        pairs = paired_calls(Scenario(next(conditions(family.id, count=1))))
        assert len(pairs) >= PAIRS, family.id
        assert all(wrong != right for wrong, right in pairs)


def test_the_registered_task_asks_all_kinds() -> None:
    asked = likelihood(samples=1)
    assert {str(sample.id).split("-")[0] for sample in asked.dataset} == {
        kind for kind in KINDS if families(kinds=[kind], split="held-out")
    }
