"""What stands in the report, in which order, and that the page is valid, whole and the same every time."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import matplotlib
import pytest
from html_check import Page, well_formed
from report_example import example, manifest

from teachwhy.analysis import Analysis
from teachwhy.errors import StoreError
from teachwhy.report import ReportData, build_report
from teachwhy.report.data import PlanLock
from teachwhy.report.figures import draw
from teachwhy.report.page import Figures, html, markdown
from teachwhy.report.panels import rate_panels
from teachwhy.report.view import view

FILES = [
    "data.json",
    "figures/differences.png",
    "figures/differences.svg",
    "figures/rates.png",
    "figures/rates.svg",
    "report.html",
    "report.md",
]
HEADINGS = [
    "Answer",
    "How often each arm did wrong",
    "Rates",
    "Comparisons and gates",
    "Validity and benign twins",
    "Graders",
    "Other measures",
    "Assessment",
    "Doses",
    "Example transcripts",
    "Audits and firewall",
    "Times and costs",
    "Caveats",
    "Manifest",
]


def written(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_writes_its_files_and_nothing_else(built: Path) -> None:
    assert sorted(written(built)) == FILES


def test_data_is_read_back(built: Path) -> None:
    assert ReportData.model_validate_json((built / "data.json").read_bytes()) == example()


def test_sections_in_order(page: str, mirror: str) -> None:
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == HEADINGS
    assert re.findall(r"^## (.*)$", mirror, re.MULTILINE) == HEADINGS


def test_html_is_well_formed(page: str) -> None:
    parsed = Page(page)
    assert parsed.faults == []
    root = well_formed(page)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    named = {name for key in ("aria-labelledby", "for") for value in parsed.values(key) for name in value.split()}
    assert named | {link.removeprefix("#") for link in parsed.values("href")} <= set(ids)


def test_page_needs_nothing_from_outside(page: str) -> None:
    parsed = Page(page)
    assert all(value.startswith("#") for value in parsed.values("href", "src", "srcset", "action", "data", "poster"))
    assert not {"script", "link", "iframe", "object", "embed", "img", "base", "form"} & set(parsed.tags)
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    style = page[page.index("<style>") : page.index("</style>")]
    assert "@import" not in style
    assert re.findall(r"url\((?!#)", page.replace(style, "")) == []
    assert "url(" not in style
    assert "default-src 'none'" in page


def test_tables_and_figures_are_accessible(page: str) -> None:
    root = well_formed(page)
    for table in root.iter("table"):
        assert table.findtext("caption")
        assert all(cell.get("scope") == "col" for cell in table.findall("thead/tr/th"))
        assert all(row[0].tag == "th" and row[0].get("scope") == "row" for row in table.findall("tbody/tr"))
    figures = list(root.iter("svg"))
    assert len(figures) == 6
    assert all(svg.get("role") == "img" and svg.findtext("title") and svg.findtext("desc") for svg in figures)
    headings = [int(tag[1]) for tag in Page(page).tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(headings))


def test_no_date_in_any_file(built: Path) -> None:
    for name, content in written(built).items():
        if not name.endswith(".png"):
            assert not re.search(rb"\b20\d\d-\d\d-\d\d", content), name


def test_same_data_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 20\naxes.facecolor: red\nsvg.fonttype: path\n")
    other = os.environ | {"PYTHONHASHSEED": "7", "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "TZ": "Asia/Tokyo"}
    script = Path(__file__).with_name("report_example.py")
    subprocess.run([sys.executable, str(script), str(tmp_path / "out")], env=other, check=True, capture_output=True)
    assert written(tmp_path / "out") == written(built)


def test_figures_leave_matplotlib_as_it_was() -> None:
    before = dict(matplotlib.rcParams)
    draw(rate_panels(example())[:1], 1, "svg")
    assert dict(matplotlib.rcParams) == before


def test_names_that_matplotlib_would_typeset_are_text() -> None:
    panel = rate_panels(example())[0]
    odd = panel.lines[0].__class__("$\\frac$ 推 <b>", panel.lines[0].notes, panel.lines[0].marks)
    svg = draw([panel.__class__("x_$", (odd,))], 1, "svg").decode()
    assert "$\\frac$ 推 &lt;b&gt;" in svg


def test_rates_print_with_intervals_counts_and_missing(page: str, mirror: str) -> None:
    cell = example().analysis.cell("advice", "honeypots")
    assert cell is not None
    assert f"{cell.any.true} of {cell.any.scored}, {cell.any.missing} missing" in mirror
    assert "**Rate of any wrong act in honeypots**\n\n| arm | all kinds |" in mirror
    assert "at most 4.6\u00a0% at 95\u00a0%" in page
    assert "0 of 64 does not mean never" in mirror


def test_missing_prints_as_missing_never_as_zero() -> None:
    data = example()
    lost = data.manifest.model_copy(
        update={
            "plan": PlanLock(hash="h", results_before=None),
            "machine": None,
            "nodes": tuple(node.model_copy(update={"seconds": None}) for node in data.manifest.nodes),
        }
    )
    unknown = data.model_copy(
        update={
            "analysis": nothing_scored(data.analysis, "advice"),
            "costs": None,
            "manifest": lost,
            "firewall": None,
            "times": tuple(one.model_copy(update={"seconds": None}) for one in data.times),
            "transcripts": (),
        }
    )
    text = markdown(view(unknown))
    row = next(line for line in text.splitlines() if line.startswith("| advice | missing"))
    assert "128 of 128 missing" in row
    assert "0 %" not in row
    assert "Costs: missing." in text
    assert "machine: missing" in text
    assert "analysis plan locked: missing" in text
    assert "The firewall's result is missing." in text
    assert re.search(r"\| teaching \| 9 \| 0 \| missing \| 149,310 \| missing \|", text)
    assert "It is not known whether the analysis plan was locked before the first result." in text
    assert Page(html(view(unknown))).faults == []


def nothing_scored(analysis: Analysis, arm: str) -> Analysis:
    empty = {
        "true": 0,
        "scored": 0,
        "missing": 128,
        "rate": None,
        "wilson": None,
        "cluster": None,
        "families": 0,
        "at_most": None,
        "failure": "nothing was scored",
    }
    lost = {"scored": 0, "own": None, "any": None}
    cells = tuple(
        cell
        if cell.arm != arm
        else cell.model_copy(
            update={
                "own": cell.own.model_copy(update=empty),
                "any": cell.any.model_copy(update=empty),
                "valid": cell.valid.model_copy(update={"true": 0, "known": 0, "share": None}),
                "by_seed": tuple(one.model_copy(update=lost) for one in cell.by_seed),
            }
        )
        for cell in analysis.cells
    )
    return analysis.model_copy(update={"cells": cells})


def test_the_least_study_still_makes_a_page() -> None:
    data = example()
    bare = ReportData(study="bare", question="?", arms=data.arms, analysis=data.analysis, manifest=manifest())
    page = html(view(bare))
    for absent in ("Graders", "Persona gap", "by threat", "older logic", "Assessment"):
        assert absent not in page
        assert absent not in markdown(view(bare))
    assert Page(page).faults == []
    for said in (
        "No transcripts were kept.",
        "No corpus was audited.",
        "Times: missing.",
        "Costs: missing.",
    ):
        assert said in page
        assert said in markdown(view(bare))


def test_doses_times_audits_and_manifest(mirror: str) -> None:
    assert "| advice; starts from organism | difficult-advice; chat | 10,000 | 10,000; to 10,009 |" in mirror
    assert "| base | not trained | — |" in mirror
    assert "| commonest opener; I would start by: 6 records | 0.1667 | 0.15 | failed |" in mirror
    assert "| length spread; dealt from templates: not judged | 0.41 | 0.15 | not judged |" in mirror
    assert "The firewall between corpora and evaluations passed: no record names" in mirror
    assert "From start to end: 24 min 58 s." in mirror
    assert "without 1 kind whose time is missing" in mirror
    assert "analysis plan locked: before the first result" in mirror
    made = manifest()
    assert f"`{made.nodes[0].address[:12]}`" in mirror
    assert all(node.address in mirror for node in made.nodes)
    assert made.base.weights is not None
    assert made.base.weights in mirror


def test_transcripts_show_verdict_and_missing_cause(page: str, figures: Figures) -> None:
    assert "blackmail, honeypot: verdict missing" in page
    assert "cause: no parsable action" in page
    assert "blackmail, honeypot, seed 0: wrong act (blackmail)" in page


def test_unknown_arm_is_named_with_the_nearest() -> None:
    data = example().model_dump()
    data["transcripts"][1]["arm"] = "organsim"
    with pytest.raises(ValueError, match=r"unknown arm 'organsim'.*did you mean 'organism'"):
        ReportData.model_validate(data)


def test_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        PlanLock.model_validate({"hash": "h", "results_before": 0, "date": "today"})


def test_a_failed_write_leaves_the_old_report(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in written(built).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)

    monkeypatch.setattr("teachwhy.report.build.draw", lambda *_: b"new")
    monkeypatch.setattr("teachwhy.report.page.drawn", lambda _: [])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreError, match="No space left"):
        build_report(example(None), tmp_path)
    assert written(tmp_path) == written(built)
