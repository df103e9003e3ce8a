"""The templates: one page of HTML that needs nothing else, and its mirror in Markdown."""

from markupsafe import Markup

from teachwhy.report.figures import Panel, draw
from teachwhy.report.svg import inline
from teachwhy.report.templating import html_environment, markdown_environment, style
from teachwhy.report.view import View

Figures = list[tuple[Panel, Markup]]


def html(view: View, figures: Figures | None = None) -> str:
    """The whole page.

    Args:
        figures: the drawn panels, if they are at hand already (see ``drawn``).
    """
    template = html_environment().get_template("report.html.j2")
    return template.render(view=view, data=view.data, style=style(), figures=figures or drawn(view))


def drawn(view: View) -> Figures:
    """Each panel as an inline SVG; the differences come second, beside the overall rates."""
    panels = [*view.panels[:1], *([view.differences] if view.differences else []), *view.panels[1:]]
    return [
        (panel, inline(draw([panel], 1, "svg"), f"fig{at}", panel.title, panel.says))
        for at, panel in enumerate(panels, start=1)
    ]


def markdown(view: View) -> str:
    """The mirror in Markdown: the same sentences and tables, transcripts in fences."""
    return markdown_environment().get_template("report.md.j2").render(view=view, data=view.data)
