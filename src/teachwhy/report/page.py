"""The templates: one page of HTML that needs nothing else, and its mirror in Markdown."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from teachwhy.inert import Md, code, escaped, fenced, one_line, together, visible
from teachwhy.report.data import Action
from teachwhy.report.figures import Panel, draw
from teachwhy.report.svg import inline
from teachwhy.report.tables import Entry, Table
from teachwhy.report.view import View

_COMMON: dict[str, Any] = {
    "loader": PackageLoader("teachwhy.report"),
    "undefined": StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
}

Figures = list[tuple[Panel, Markup]]


def html(view: View, figures: Figures | None = None) -> str:
    """The whole page.

    Args:
        figures: the drawn panels, if they are at hand already (see ``drawn``).
    """
    style = Markup(files("teachwhy.report").joinpath("templates/style.css").read_text("utf-8"))
    template = _html().get_template("report.html.j2")
    return template.render(view=view, data=view.data, style=style, figures=figures or drawn(view))


def drawn(view: View) -> Figures:
    """Each panel as an inline SVG; the differences come second, beside the overall rates."""
    panels = [*view.panels[:1], *([view.differences] if view.differences else []), *view.panels[1:]]
    return [
        (panel, inline(draw([panel], 1, "svg"), f"fig{at}", panel.title, panel.says))
        for at, panel in enumerate(panels, start=1)
    ]


def markdown(view: View) -> str:
    """The mirror in Markdown: the same sentences and tables, transcripts in fences."""
    return _markdown().get_template("report.md.j2").render(view=view, data=view.data)


@cache
def _html() -> Environment:
    made = Environment(autoescape=True, **_COMMON)
    made.filters |= {"visible": visible, "line": one_line, "acted": acted}
    made.filters["tidy"] = lambda text: together(one_line(text))
    return made


@cache
def _markdown() -> Environment:
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
