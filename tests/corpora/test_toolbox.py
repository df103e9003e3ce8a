"""The library of tools and system prompts: valid, unique, and unchanged on their way to a model."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from teachwhy.corpora.audit import talk_of_tests
from teachwhy.corpora.decks import shipped_deck
from teachwhy.corpora.records import Record, read_jsonl, write_jsonl
from teachwhy.corpora.toolbox import Operator, fitting, load_operator, load_tools, schemas, sectors, system_prompts
from teachwhy.errors import CorpusError, TextError
from teachwhy.models.chat import prompt_ids
from teachwhy.models.tiny import tiny_tokenizer
from teachwhy.scenarios.tools import tool_names

ASK = [{"role": "user", "content": "Are you open?"}, {"role": "assistant", "content": "Until six."}]
# Shows each tool as JSON, as the templates of models with tools do.
TOOLS_TEMPLATE = (
    "{% for tool in tools or [] %}{{ tool | tojson }}\n{% endfor %}"
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def name_of(schema: dict[str, Any]) -> str:
    return str(schema["function"]["name"])


def test_the_library_is_large_and_its_names_are_its_own() -> None:
    names = [name_of(schema) for schema in schemas()]
    assert len(names) >= 64
    assert len(sectors()) >= 16
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert set(names).isdisjoint(tool_names())  # scenarios have schemas of their own under these names
    assert [name_of(schema) for sector in sectors() for schema in schemas(sector)] == names


def test_every_field_of_the_errands_has_tools_that_fit() -> None:
    everything = [name_of(schema) for schema in schemas()]
    for field in shipped_deck("agent-basics").variables["sector"]:
        names = [name_of(schema) for schema in fitting(field)]
        assert 6 <= len(names) < 20, field
        assert set(names) <= set(everything)
    assert [name_of(schema) for schema in fitting("submarine yard")] == everything


@pytest.mark.parametrize("schema", schemas(), ids=name_of)
def test_parameters_are_valid_json_schema(schema: dict[str, Any]) -> None:
    parameters = schema["function"]["parameters"]
    jsonschema.Draft202012Validator.check_schema(parameters)
    assert set(schema) == {"type", "function"}
    assert set(schema["function"]) == {"name", "description", "parameters"}
    assert schema["function"]["description"].strip()
    assert set(parameters["required"]) <= set(parameters["properties"])


def test_a_schema_says_what_its_file_says() -> None:
    parameters = next(s for s in schemas("airline") if name_of(s) == "searchFlights")["function"]["parameters"]
    assert parameters["properties"]["cabin"] == {
        "type": "string",
        "enum": ["economy", "premium", "business"],
        "default": "economy",
    }
    assert parameters["properties"]["adults"] == {"type": "integer", "minimum": 1, "maximum": 9, "default": 1}
    assert parameters["required"] == ["origin", "destination", "departureDate"]
    call = {"origin": "LIS", "destination": "RIX", "departureDate": "2031-05-02"}
    jsonschema.validate(call, parameters)
    with pytest.raises(jsonschema.ValidationError, match="less than the minimum"):
        jsonschema.validate(call | {"adults": 0}, parameters)
    with pytest.raises(jsonschema.ValidationError, match="'origin' is a required"):
        jsonschema.validate({"destination": "RIX"}, parameters)


def test_schemas_are_the_callers_own() -> None:
    schemas("web")[0]["function"]["parameters"]["properties"].clear()
    assert schemas("web")[0]["function"]["parameters"]["properties"]


def test_an_unknown_sector_gets_the_nearest_one() -> None:
    with pytest.raises(CorpusError, match="did you mean 'pharmacy'"):
        schemas("farmacy")


def test_a_record_keeps_the_schemas_unchanged(tmp_path: Path) -> None:
    record = Record(id="all", messages=ASK, tools=schemas())
    write_jsonl(tmp_path / "records.jsonl", [record])
    assert read_jsonl(tmp_path / "records.jsonl")[0].tools == schemas()
    assert json.loads(record.model_dump_json())["tools"] == schemas()


@pytest.fixture(scope="module")
def plain() -> Any:
    """The tiny model's tokenizer: its template knows no tools, so they are described in the system message."""
    return tiny_tokenizer()


@pytest.fixture(scope="module")
def with_tools() -> Any:
    """A tokenizer whose template shows each tool as a line of JSON."""
    return tiny_tokenizer(TOOLS_TEMPLATE)


@pytest.mark.parametrize("operator", system_prompts(), ids=lambda operator: operator.name)
def test_every_system_prompt_and_its_tools_reach_the_model(operator: Operator, plain: Any, with_tools: Any) -> None:
    assert 3 <= len(operator.text.split()) <= 180
    assert talk_of_tests(operator.text) is None
    fitting = [schema for sector in operator.sectors for schema in schemas(sector)]
    messages = [{"role": "system", "content": operator.text}, ASK[0]]
    described = plain.decode(prompt_ids(plain, messages, fitting))
    assert operator.text in described
    assert all(f"{name_of(schema)}(" in described for schema in fitting)
    shown = with_tools.decode(prompt_ids(with_tools, messages, fitting))
    assert operator.text in shown
    assert [json.loads(line) for line in shown.splitlines() if line.startswith("{")] == fitting


def test_system_prompts_are_many_and_differ() -> None:
    operators = system_prompts()
    assert len(operators) >= 40
    assert len({operator.text for operator in operators}) == len(operators)
    lengths = sorted(len(operator.text.split()) for operator in operators)
    assert lengths[0] <= 8
    assert lengths[-1] >= 90
    assert {sector for operator in operators for sector in operator.sectors} == set(sectors())


BAD = {
    "misspelt key": ("ping:\n  descripton: x\n  parameters: {}\n", "unknown key 'descripton'", "did you mean 'descri"),
    "unknown type": ("ping:\n  description: x\n  parameters: {a: {type: text}}\n", "'parameters.a.type'", ""),
    "required and unknown": (
        "ping:\n  description: x\n  parameters: {host: {type: string}}\n  required: [hots]\n",
        "'hots' is required and is no parameter (did you mean 'host'?",
        "",
    ),
    "array of nothing": ("ping:\n  description: x\n  parameters: {a: {type: array}}\n", "has items", ""),
    "object of nothing": ("ping:\n  description: x\n  parameters: {a: {type: object}}\n", "has properties", ""),
    "enum of another type": (
        "ping:\n  description: x\n  parameters: {a: {type: string, enum: [on]}}\n",
        "True is not of type string",
        "",
    ),
    "default outside the enum": (
        "ping:\n  description: x\n  parameters: {a: {type: string, enum: [b], default: c}}\n",
        "the default 'c' is not in the enum",
        "",
    ),
    "no tools": ("[]", "maps names to tools", ""),
    "no yaml": ("a: [", "not YAML", ""),
    "no date": ("a: 2024-13-45", "not YAML", ""),
}


@pytest.mark.parametrize(("text", "what", "mend"), BAD.values(), ids=BAD)
def test_a_file_of_tools_that_breaks_the_format_is_named(tmp_path: Path, text: str, what: str, mend: str) -> None:
    (tmp_path / "net.yaml").write_text(text)
    with pytest.raises(TextError) as caught:
        load_tools(tmp_path / "net.yaml")
    assert what in caught.value.what
    assert mend in (caught.value.mend or "")
    assert "net.yaml" in str(caught.value.where)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("---\nsectors: [wether]\n---\nHi.\n", "no tools of a sector 'wether'"),
        ("---\nsectors: [weather]\n---\nHi.\n\n## Rules\nNone.\n", "no level-2 headings"),
        ("---\nsectors: [weather]\n---\n", "empty"),
        ("---\nsectors: []\n---\nHi.\n", "'sectors'"),
    ],
)
def test_a_system_prompt_that_breaks_the_format_is_named(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "desk.md").write_text(text)
    with pytest.raises(TextError) as caught:
        load_operator(tmp_path / "desk.md")
    assert what in caught.value.what
    assert "desk.md" in str(caught.value.where)
