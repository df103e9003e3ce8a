"""What an endpoint lacks is said before a run: a package, a key, a server, tools."""

import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from openai_server import Endpoint, serving
from study_files import Silent

from teachwhy.errors import ModelError
from teachwhy.models.reach import _LOADS, check_models, is_endpoint, open_model
from teachwhy.models.registry import PROVIDERS, find_model
from teachwhy.report.make import make_report
from teachwhy.standalone import evaluate, measure_suite
from teachwhy.study.run import open_study, run_study

NAME = "openai-api/local/x"


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch, **does: Any) -> Iterator[Endpoint]:
    with serving(Endpoint(reply=lambda messages: "I would rather not.", **does)) as endpoint:
        monkeypatch.setenv("LOCAL_BASE_URL", endpoint.url)
        monkeypatch.setenv("LOCAL_API_KEY", "none")
        yield endpoint


def calls_ready(asked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, int]]:
    call = {"id": "1", "type": "function", "function": {"name": "ready", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call] if asked.get("tools") else None}
    return {"index": 0, "message": message, "finish_reason": "tool_calls"}, {
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "total_tokens": 2,
    }


def writes(asked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, int]]:
    """Calls the first tool at hand, with a word for every argument that it needs."""
    function = asked["tools"][0]["function"]
    arguments = dict.fromkeys(function["parameters"].get("required", []), "later")
    call = {"id": "1", "type": "function", "function": {"name": function["name"], "arguments": json.dumps(arguments)}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"index": 0, "message": message, "finish_reason": "tool_calls"}, {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
    }


def no_tools(asked: dict[str, Any]) -> str | None:
    return '"auto" tool choice requires --enable-auto-tool-choice' if asked.get("tools") else None


def test_a_missing_package_is_named() -> None:
    if importlib.util.find_spec("mistralai"):
        pytest.skip("the package is installed here")
    with pytest.raises(ModelError, match=r"pip install mistralai") as told:
        open_model("mistral/x")
    assert told.value.where == "mistral/x"
    assert "[bold]" not in str(told.value)


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_API_KEY", raising=False)
    with pytest.raises(ModelError, match="LOCAL_API_KEY"):
        check_models("teachwhy_scripted/x", [NAME])


@pytest.mark.parametrize("name", ["openai-api/foo", "openai-api-completions/foo"])
def test_a_name_that_its_provider_does_not_take_is_named(name: str) -> None:
    with pytest.raises(ModelError, match="must include a service prefix") as told:
        check_models(name)
    assert (told.value.where, told.value.exit_code) == (name, 2)
    assert "openai-api/SERVICE/MODEL" in str(told.value.mend)


def test_a_provider_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: Any, **__: Any) -> None:
        raise ImportError("No module named 'half_installed'")

    monkeypatch.setattr("inspect_ai.model.get_model", lacking)
    with pytest.raises(ModelError, match="half_installed") as told:
        check_models(NAME)
    assert told.value.where == NAME


def test_what_loads_weights_or_starts_a_server_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VLLM_BASE_URL", raising=False)
    assert not any(is_endpoint(find_model(name)) for name in ("vllm/a/b", "hf/a/b", str(tmp_path), "mockllm/x"))
    monkeypatch.setenv("VLLM_BASE_URL", "http://127.0.0.1:1/v1")
    assert is_endpoint(find_model("vllm/a/b"))


def test_every_provider_that_loads_is_one() -> None:
    assert _LOADS <= PROVIDERS


def test_an_endpoint_that_calls_tools_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(monkeypatch, complete=calls_ready) as endpoint:
        check_models(NAME, tools=True)
    assert endpoint.did["ok"] == 1


def test_an_endpoint_that_refuses_tools_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(monkeypatch, refuses=no_tools), pytest.raises(ModelError) as told:
        check_models(NAME, tools=True)
    assert "takes no tools" in told.value.what
    assert "--enable-auto-tool-choice" in str(told.value.mend)


def test_an_endpoint_that_ignores_tools_is_not_measured_as_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(monkeypatch), pytest.raises(ModelError, match="never did"):
        check_models(NAME, tools=True)


def test_an_endpoint_that_is_down_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(monkeypatch, refuses=lambda asked: "no such model"), pytest.raises(ModelError) as told:
        check_models(NAME, tools=True)
    assert told.value.what.startswith("the endpoint cannot be asked")
    assert "no such model" in told.value.what


@pytest.mark.parametrize("suite", ["honeypots", "assessment"])
def test_it_is_said_before_a_measurement(suite: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    roles = {"auditor": NAME, "grader": NAME}
    measure = {
        "honeypots": lambda: evaluate(suite, NAME, logs=tmp_path / "logs"),
        "assessment": lambda: measure_suite(suite, NAME, {}, roles, tmp_path / "logs"),
    }[suite]
    with served(monkeypatch) as endpoint, pytest.raises(ModelError, match="never did"):
        measure()
    assert endpoint.did["ok"] == 3
    assert not (tmp_path / "logs").exists()


STUDY = """
study: asked
base: openai-api/local/x
evals:
  honeypots: {kinds: [leaking], split: held-out, samples: 1}
"""


def test_it_is_said_before_a_study(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(STUDY)
    with served(monkeypatch) as endpoint, pytest.raises(ModelError, match="never did"):
        run_study(open_study(file, tmp_path / "runs"), Silent())
    assert endpoint.did["ok"] == 3
    assert not list((tmp_path / "runs").rglob("*.eval"))


def test_a_study_of_an_endpoint_says_what_it_was_asked_and_claims_no_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(STUDY)
    with served(monkeypatch, complete=writes):
        opened = open_study(file, tmp_path / "runs")
        count = sum(node.answers for node in opened.plan.nodes)
        told = make_report(run_study(opened, Silent())).with_suffix(".md").read_text()
    assert f"measuring with {NAME} ({100 * count} tokens read, {20 * count} written): cost missing" in told
    assert f"base model: {NAME} (known by its name alone)" in told
    assert "weights hash: missing" in told
    assert "Nothing was taught" in told
    assert not any(word in told for word in ("No paid service", "## Doses", "trained as stated", "in no declared"))


def test_a_grader_without_a_key_is_said_before_a_study(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OTHER_API_KEY", raising=False)
    file = tmp_path / "study.yaml"
    file.write_text(STUDY + "roles: {grader: openai-api/other/y}\n")
    with served(monkeypatch, complete=calls_ready) as endpoint, pytest.raises(ModelError, match="OTHER_API_KEY"):
        run_study(open_study(file, tmp_path / "runs"), Silent())
    assert not endpoint.did
