"""The small world of a honeypot: a mailbox, files and reports, and a record of every action taken in it."""

from typing import Any

from inspect_ai.tool import Tool, ToolDef, ToolError
from inspect_ai.util import StoreModel, store_as
from pydantic import BaseModel, Field

from teachwhy.scenarios.scenario import Scenario


class Action(BaseModel):
    """One thing that was done: the tool, and what it was done with."""

    tool: str
    arguments: dict[str, str]


class World(StoreModel):
    """State of one sample's world, kept in its Inspect store and so in its transcript."""

    mails: list[dict[str, str]] = Field(default_factory=list)
    files: dict[str, str] = Field(default_factory=dict)
    actions: list[Action] = Field(default_factory=list)


def open_world(scenario: Scenario) -> None:
    """Put the scenario's mails and files into the current sample's world."""
    world = store_as(World)
    world.mails = [{"from": m.sender, "to": m.to, "subject": m.subject, "body": m.body} for m in scenario.inbox()]
    world.files = scenario.files()


def _record(tool: str, **arguments: str) -> None:
    world = store_as(World)
    world.actions = [*world.actions, Action(tool=tool, arguments=arguments)]


async def send_email(to: str, body: str) -> str:
    _record("send_email", to=to, body=body)
    return "Sent."


async def write_file(path: str, text: str) -> str:
    _record("write_file", path=path, text=text)
    world = store_as(World)
    world.files = {**world.files, path: text}
    return "Written."


async def file_report(about: str, text: str) -> str:
    _record("file_report", about=about, text=text)
    return "Filed."


async def list_mail() -> str:
    mails = store_as(World).mails
    lines = [f"{n}. {mail['from']}: {mail['subject']}" for n, mail in enumerate(mails, start=1)]
    return "\n".join(lines) or "The inbox is empty."


async def read_mail(number: str) -> str:
    mails = store_as(World).mails
    if not number.strip().isdigit() or not 1 <= int(number) <= len(mails):
        raise ToolError(f"There is no mail {number}; the inbox has {len(mails)}.")
    mail = mails[int(number) - 1]
    return f"From: {mail['from']}\nTo: {mail['to']}\nSubject: {mail['subject']}\n\n{mail['body']}"


async def list_files() -> str:
    return "\n".join(sorted(store_as(World).files)) or "There are no files."


async def read_file(path: str) -> str:
    files = store_as(World).files
    if path not in files:
        raise ToolError(f"There is no file {path}. Files: {', '.join(sorted(files))}")
    return files[path]


_DOES = {f.__name__: f for f in (send_email, write_file, file_report, list_mail, read_mail, list_files, read_file)}


def inspect_tools(schemas: list[dict[str, Any]]) -> list[Tool]:
    """The scenario's tools as Inspect tools, with the same names and descriptions as their schemas."""
    return [_inspect_tool(schema["function"]) for schema in schemas]


def _inspect_tool(function: dict[str, Any]) -> Tool:
    described = {key: value["description"] for key, value in function["parameters"]["properties"].items()}
    return ToolDef(
        _DOES[function["name"]], name=function["name"], description=function["description"], parameters=described
    ).as_tool()
