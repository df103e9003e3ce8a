"""How the model under study is asked where it is given no tools."""

from pathlib import Path
from typing import Any

import pytest
from scripted_runs import HARMLESS, always, run

from teachwhy.evals.registry import find_suite


@pytest.mark.parametrize(("name", "settings"), [("instructions", {}), ("understanding", {"types": ["choice"]})])
def test_a_model_that_calls_tools_that_are_not_there_is_asked_once(
    name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    """Inspect would tell it that there is no such tool, and ask again, for ever."""
    suite = find_suite(name)
    chosen = suite.settings(**settings)
    log = run(suite.task(chosen, suite.ids(chosen)[:2]), always(HARMLESS), tmp_path)
    assert log.samples is not None
    assert [len([m for m in sample.messages if m.role == "assistant"]) for sample in log.samples] == [1, 1]
