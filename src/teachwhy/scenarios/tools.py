"""The tools that scenarios offer, as function schemas: the same ones in training records and in evaluations."""

from functools import cache
from importlib import resources
from typing import Any

import yaml

ACTING = ("send_email", "write_file", "file_report")
"""What a family offers for acting if it does not say otherwise."""
NEEDS = {"cancel_alert": "full.alert", "set_job": "full.job", "add_entry": "full.ledger"}
"""Further tools for acting, and the sections without which a family cannot offer them."""
SHOWS = {
    "full.alert": "list_alerts",
    "full.job": "list_jobs",
    "full.ledger": "read_ledger",
    "full.calendar": "read_calendar",
}
"""The tool that shows what these sections hold; it is there (form agentic) where the family has them."""
MAILBOX = ("list_mail", "read_mail", "list_files", "read_file")
READING = (*MAILBOX, *SHOWS.values())


@cache
def _library() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(resources.files("teachwhy.scenarios").joinpath("tools.yaml").read_text("utf-8"))
    return {**groups["acting"], **groups["reading"]}


def tool_names() -> list[str]:
    """Names of all known tools."""
    return list(_library())


def parameters(name: str) -> list[str]:
    """The names of a known tool's parameters."""
    return list(_library()[name]["parameters"])


def schema(name: str, spec: dict[str, Any] | None = None) -> dict[str, Any]:
    """The function schema of a known tool, or of one given as ``{description, parameters: {name: description}}``."""
    spec = spec or _library()[name]
    properties = {key: {"type": "string", "description": text} for key, text in spec["parameters"].items()}
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "type": "function",
        "function": {"name": name, "description": spec["description"], "parameters": parameters},
    }


def parse_call(text: str) -> tuple[str, dict[str, str]]:
    """Read a call as texts write it: the tool's name on the first line, then one ``argument: value`` per line."""
    name, *lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    pairs = [line.split(":", 1) for line in lines]
    wrong = [line for line, pair in zip(lines, pairs, strict=True) if len(pair) != 2]
    if wrong:
        raise ValueError(f"a call's line is 'argument: value', not '{wrong[0]}'")
    return name, {key.strip(): value.strip() for key, value in pairs}
