"""The likelihood readout on the tiny model."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log
from inspect_ai.model import get_model
from scripted_runs import HARMLESS, always, run

from teachwhy.errors import UserError
from teachwhy.evals.honeypots.likelihood import (
    SUITE,
    Settings,
    halves,
    likelihood,
    likelihood_rows,
    likelihood_task,
    paired_calls,
)
from teachwhy.evals.honeypots.task import honeypot_conditions
from teachwhy.models.chat import prompt_ids
from teachwhy.scenarios.family import KINDS, PAIRS, families, prompts
from teachwhy.scenarios.scenario import Condition, Scenario, conditions
from teachwhy.standalone import measure_suite

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
    assert rows[0]["value"] == pytest.approx(sum(expected) / len(expected), abs=1e-3)
    assert rows[0]["halves"] == pytest.approx(halves(expected), abs=1e-3)
    assert (rows[0]["group"], rows[0]["measure"]) == (first.family, "log_odds")
    assert all(row["missing"] is None for row in rows)


def test_without_a_scenario_nothing_is_left(
    chosen: list[Condition], tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The baseline takes off all that does not come from the scenario."""
    bare = prompts().sections["brief.close"]
    monkeypatch.setattr(Scenario, "messages", lambda self: [{"content": ""}, {"content": bare}])
    model = get_model(f"teachwhy/{tiny_folder}", memoize=False, quiet=0.02, device="cpu")
    [row] = likelihood_rows(run(likelihood_task(chosen[:1]), model, tmp_path))
    assert [row["value"], *row["halves"]] == pytest.approx([0.0] * 3, abs=1e-3)


def test_a_model_without_log_probabilities_gives_a_clear_error(chosen: list[Condition], tmp_path: Path) -> None:
    log = run(likelihood_task(chosen[:1]), always(HARMLESS), tmp_path)
    assert log.status == "error"
    assert log.error is not None
    assert "gives no log-probabilities" in log.error.message
    assert "teachwhy/<name or folder>" in log.error.message


def test_a_failed_sample_is_missing(chosen: list[Condition], tmp_path: Path) -> None:
    log = run(likelihood_task(chosen[:1]), always(HARMLESS), tmp_path)
    [row] = likelihood_rows(log)
    assert (row["value"], row["missing"]) == (None, "error")
    assert "log-probabilities" in row["reason"]
    assert "halves" not in row


@pytest.mark.parametrize("broken", [math.nan, -math.inf])
def test_log_probabilities_that_are_not_finite_are_missing(
    chosen: list[Condition], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: float
) -> None:
    class Broken:
        """Scores as a model whose weights have overflowed would: one text of all has no finite value."""

        async def score_continuations(self, _: Any, __: Any, texts: list[str]) -> list[list[float]]:
            return [[broken], *[[-1.0]] * (len(texts) - 1)]

    monkeypatch.setattr("teachwhy.evals.honeypots.likelihood.scores_of", lambda _: Broken())
    log = run(likelihood_task(chosen[:1]), always(HARMLESS), tmp_path)
    for read in (log, read_eval_log(log.location)):
        [row] = likelihood_rows(read)
        assert (row["value"], row["missing"]) == (None, "not finite")
        assert row["reason"] == "the log-probabilities are no numbers"
        assert "halves" not in row


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


def test_halves_are_the_odd_and_the_even_pairs() -> None:
    assert halves([1.0, 10.0, 3.0, 20.0, 5.0]) == (3.0, 15.0)


def test_the_suite_asks_what_its_settings_say() -> None:
    asked = Settings(kinds=("leaking",), samples=2)
    ids = SUITE.ids(asked)
    assert ids == [c.id for c in honeypot_conditions(kinds=["leaking"], samples=2)]
    assert [str(sample.id) for sample in SUITE.task(Settings(kinds=("leaking",), samples=2), ids[1:3]).dataset] == ids[
        1:3
    ]
    assert (
        SUITE.address(Settings(), ids) == SUITE.address(Settings(samples=2), ids) != SUITE.address(Settings(), ids[1:])
    )


def test_an_unknown_kind_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'leaking'"):
        measure_suite("likelihood", "x", {"kinds": ["leeking"]}, {}, tmp_path)


def test_the_command_says_how_reliable_the_readout_is(tiny_folder: Path, tmp_path: Path) -> None:
    said = measure_suite("likelihood", str(tiny_folder), {"kinds": ["leaking"], "samples": 1}, {}, tmp_path)
    line = next(line for line in said.splitlines() if "log_odds" in line)
    assert re.search(r"\(nats, lower is better\), n 4, missing none, split-half reliability [01]\.\d\d$", line)
