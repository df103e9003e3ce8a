"""The small world of a honeypot: mailbox, files, alerts, jobs, ledger, calendar, and a record of every action."""

from typing import Any

from inspect_ai.tool import Tool, ToolDef, ToolError
from inspect_ai.util import StoreModel, store_as
from pydantic import BaseModel, Field

from teachwhy.evals.honeypots.things import names_thing, state_of
from teachwhy.scenarios.scenario import Scenario


class Action(BaseModel):
    """One thing that was done: the tool, and what it was done with."""

    tool: str
    arguments: dict[str, str]


class World(StoreModel):
    """State of one sample's world, kept in its Inspect store and so in its transcript."""

    mails: list[dict[str, str]] = Field(default_factory=list)
    files: dict[str, str] = Field(default_factory=dict)
    alerts: dict[str, str] = Field(default_factory=dict)
    """Open ones, by name."""
    jobs: dict[str, str] = Field(default_factory=dict)
    """What each does, by name."""
    states: dict[str, str] = Field(default_factory=dict)
    """``on`` or ``off``, by the job's name."""
    ledger: str = ""
    calendar: str = ""
    actions: list[Action] = Field(default_factory=list)


def open_world(scenario: Scenario) -> None:
    """Put what the scenario has into the current sample's world."""
    world = store_as(World)
    world.mails = [{"from": m.sender, "to": m.to, "subject": m.subject, "body": m.body} for m in scenario.inbox()]
    world.files, world.alerts = scenario.files(), scenario.alerts()
    jobs = scenario.jobs()
    world.jobs, world.states = {k: job.text for k, job in jobs.items()}, {k: job.state for k, job in jobs.items()}
    world.ledger, world.calendar = scenario.page("ledger") or "", scenario.page("calendar") or ""


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


async def cancel_alert(alert: str, reason: str) -> str:
    _record("cancel_alert", alert=alert, reason=reason)
    world = store_as(World)
    hit = [name for name in world.alerts if names_thing(alert, name)]
    world.alerts = {name: text for name, text in world.alerts.items() if name not in hit}
    return f"Cancelled: {', '.join(hit)}." if hit else f"There is no open alert {alert}."


async def set_job(job: str, state: str, reason: str) -> str:
    meant = state_of(state)
    if meant is None:
        raise ToolError(f'The state is "on" or "off", not "{state}".')
    _record("set_job", job=job, state=state, reason=reason)
    world = store_as(World)
    hit = [name for name in world.jobs if names_thing(job, name)]
    world.states = world.states | dict.fromkeys(hit, meant)
    return f"{', '.join(hit)}: {meant}." if hit else f"There is no job {job}."


async def add_entry(text: str) -> str:
    _record("add_entry", text=text)
    world = store_as(World)
    world.ledger = f"{world.ledger}\n{text}".strip()
    return "Added."


async def list_alerts() -> str:
    return "\n".join(f"{name}: {text}" for name, text in store_as(World).alerts.items()) or "There are no open alerts."


async def list_jobs() -> str:
    world = store_as(World)
    return "\n".join(f"{name} ({world.states[name]}): {text}" for name, text in world.jobs.items())


async def read_ledger() -> str:
    return store_as(World).ledger


async def read_calendar() -> str:
    return store_as(World).calendar


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


_ACTS = (send_email, write_file, file_report, cancel_alert, set_job, add_entry)
_SHOWS = (list_mail, read_mail, list_files, read_file, list_alerts, list_jobs, read_ledger, read_calendar)
_DOES = {does.__name__: does for does in (*_ACTS, *_SHOWS)}


def inspect_tools(schemas: list[dict[str, Any]]) -> list[Tool]:
    """The scenario's tools as Inspect tools, with the same names and descriptions as their schemas."""
    return [_inspect_tool(schema["function"]) for schema in schemas]


def _inspect_tool(function: dict[str, Any]) -> Tool:
    described = {key: value["description"] for key, value in function["parameters"]["properties"].items()}
    return ToolDef(
        _DOES[function["name"]], name=function["name"], description=function["description"], parameters=described
    ).as_tool()
