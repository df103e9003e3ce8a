"""Writing a report: everything is made in memory, then each file is put in place whole, the page last."""

from pathlib import Path

from teachwhy.report.data import ReportData
from teachwhy.report.figures import Panel, draw
from teachwhy.report.page import html, markdown
from teachwhy.report.view import View, view
from teachwhy.study.store import write_bytes


def build_report(data: ReportData, folder: Path) -> Path:
    """Write ``report.html``, ``report.md``, ``data.json`` and ``figures/`` (SVG and PNG) into a folder.

    The same data gives the same bytes. A kill leaves every file either as it was or whole; ``report.html`` comes last.

    Args:
        folder: made if it is not there; other files in it are left alone.

    Returns:
        The path of ``report.html``.

    Raises:
        StoreError: the folder cannot be written to.
    """
    laid = view(data)
    files = {"data.json": (data.model_dump_json(indent=1) + "\n").encode()}
    files |= {name: draw(*what) for name, what in _figures(laid).items()}
    files |= {"report.md": markdown(laid).encode(), "report.html": html(laid).encode()}
    for name, made in files.items():
        write_bytes(folder / name, made)
    return folder / "report.html"


def _figures(laid: View) -> dict[str, tuple[list[Panel], int, str]]:
    grids = {"rates": (laid.panels, 2)}
    if laid.differences:
        grids["differences"] = ([laid.differences], 1)
    return {
        f"figures/{name}.{form}": (panels, columns, form)
        for name, (panels, columns) in grids.items()
        for form in ("svg", "png")
    }
