"""The environments in which pages are made: whatever is printed is escaped, for HTML or for Markdown."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from teachwhy.inert import Md, code, escaped, fenced, one_line, together, visible
from teachwhy.report.data import Action
from teachwhy.report.tables import Entry, Table

_COMMON: dict[str, Any] = {
    "loader": PackageLoader("teachwhy.report"),
    "undefined": StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
}


def style() -> Markup:
    """The style sheet of all pages."""
    return Markup(files("teachwhy.report").joinpath("templates/style.css").read_text("utf-8"))


@cache
def html_environment() -> Environment:
    """Whatever a template prints is escaped as HTML."""
    made = Environment(autoescape=True, **_COMMON)
    made.filters |= {"visible": visible, "line": one_line, "acted": acted}
    made.filters["tidy"] = lambda text: together(one_line(text))
    return made


@cache
def markdown_environment() -> Environment:
    """Whatever a template prints is escaped, unless a filter has made it Markdown already."""
    finalize = lambda value: value if isinstance(value, Md) else escaped(str(value))  # noqa: E731
    made = Environment(autoescape=False, finalize=finalize, **_COMMON)
    made.filters |= {"fenced": fenced, "table": md_table, "acted": acted}
    return made


def acted(action: Action) -> str:
    """A recorded action as plain text: the tool, then each argument by name."""
    return "\n".join([action.tool, *(f"  {name}: {value}" for name, value in action.arguments.items())])


def md_table(table: Table) -> Md:
    """A table in GitHub's Markdown, with its caption above and its note below."""
    rule = ["---:" if column in table.numeric else "---" for column in table.columns]
    lines = [f"**{escaped(table.caption)}**", "", _row([escaped(column) for column in table.columns]), _row(rule)]
    lines += [_row([_cell(entry) for entry in row]) for row in table.rows]
    return Md("\n".join([*lines, "", escaped(table.note)] if table.note else lines))


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(entry: Entry) -> str:
    text = code(entry.text) if entry.mono else escaped(entry.text)
    return "; ".join([text, *map(escaped, entry.below)])
