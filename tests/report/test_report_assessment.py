"""The assessment's section: each table says what the rows say, none is shown empty, and nothing is claimed."""

import pytest
from html_check import Page
from report_example import ARMS, assessed, example, probed

from teachwhy.evals.assessment.dimensions import all_dimensions
from teachwhy.report.assessment import Assessment, assessment
from teachwhy.report.data import ReportData
from teachwhy.report.page import Figures, html, markdown
from teachwhy.report.view import view
from teachwhy.study.assessed import AWARE, Assessed
from teachwhy.study.composites import members


def section(data: ReportData | None = None) -> Assessment:
    made = assessment(data or example())
    assert made is not None
    return made


def shown(held: Assessed) -> ReportData:
    return example().model_copy(update={"assessed": held})


def test_each_arm_has_its_composites_with_interval_and_missing() -> None:
    table = section().arms
    assert table is not None
    assert table.columns == ("arm", "bad (lower is better)", "good (higher is better)", AWARE)
    assert [row[0].text for row in table.rows] == list(ARMS)
    one = next(one for one in assessed().standings if (one.arm, one.measure) == ("advice", "bad"))
    assert one.mean is not None
    assert one.interval is not None
    assert table.rows[-1][1].text == f"{one.mean:.2f}"
    assert table.rows[-1][1].below == (
        f"[{one.interval.low:.2f}, {one.interval.high:.2f}]",
        f"n {one.scored} of 80, {one.missing} missing",
    )


def test_a_composite_without_a_value_is_missing_and_never_a_number() -> None:
    first, *rest = assessed().standings
    lost = first.model_copy(update={"mean": None, "interval": None, "scored": 0, "missing": 40})
    table = section(shown(assessed().model_copy(update={"standings": (lost, *rest)}))).arms
    assert table is not None
    assert (table.rows[0][1].text, table.rows[0][1].tone, table.rows[0][1].below) == (
        "missing",
        "bad",
        ("40 of 40 missing",),
    )


def test_the_differences_are_those_of_the_declared_comparisons() -> None:
    table = section().differences
    assert table is not None
    pairs = [f"{a} against {b}" for a, b in example().analysis.plan.compare]
    assert [row[0].text for row in table.rows] == [name for name in pairs for _ in range(2)]
    assert [row[1].text for row in table.rows] == ["bad", "good"] * len(pairs)
    effect = assessed().differences[2].effect
    assert effect.difference is not None
    assert table.rows[2][2].text == f"−{abs(effect.difference):.2f}"
    assert table.rows[2][3].text == str(effect.pairs)


def test_what_fails_is_told_in_words_and_nothing_is_claimed() -> None:
    table = section().differences
    assert table is not None
    outcomes = {(row[0].text, row[1].text): row[-1] for row in table.rows}
    assert outcomes["advice against benign", "bad"].text == "yes, as a description"
    lacking = outcomes["reasons against actions", "bad"]
    assert lacking.text == "no claim"
    assert lacking.below == ("a control that a claim needs is missing or unequal (no filler arm is declared)",)
    # "lower is better" says which way the scale runs; no outcome says that an arm got better.
    said = " ".join(text for row in table.rows for text in (row[-1].text, *row[-1].below))
    assert not [word for word in ("improve", "wors", "better", "significan", "p =", "p <") if word in said]
    assert "nothing is claimed on these either way" in table.note


def test_every_dimension_stands_once_and_the_suite_has_no_other_table() -> None:
    laid = view(example())
    assert [one.caption for one in laid.suites] == ["likelihood"]
    table = section().dimensions
    assert table is not None
    names = [row[0].text for row in table.rows]
    assert names == members("bad") + members("good")
    assert sorted([*names, AWARE]) == sorted(all_dimensions())
    assert table.columns == ("dimension", *ARMS)
    one = next(m for m in probed() if (m.arm, m.measure) == ("organism", names[0]))
    assert one.mean is not None
    assert table.rows[0][2].text == f"{one.mean:.2f}"


def test_the_page_says_who_asked_and_judged(page: str, mirror: str) -> None:
    for text in (page, mirror.replace("\\", "")):
        assert "An auditor model (anthropic/an-auditor) played out 40 situations" in text
        assert "A judge (google/a-judge), who knew neither the model" in text
    assert "of all 18 faults; good of all 7 merits" in mirror
    assert '<section id="assessment"' in page
    folded = page[page.index('<section id="assessment"') :]
    assert folded.index("<details>") < folded.index("<caption>Assessment by dimension")


def test_a_choice_of_dimensions_is_named() -> None:
    some = assessed().model_copy(update={"members": {"bad": ("cruelty", "deception")}})
    assert "bad of only 2 of 18 faults (cruelty, deception)" in section(shown(some)).said[1]


@pytest.mark.parametrize("evil", ['<script>alert("x")</script>', "a | b\n# forged", "</details><h1>x</h1>"])
def test_names_of_models_are_only_text(figures: Figures, evil: str) -> None:
    data = shown(assessed().model_copy(update={"roles": {"auditor": evil, "grader": evil}}))
    page = html(view(data), figures)
    assert Page(page).tags == Page(html(view(example()), figures)).tags
    assert "<script" not in page
    assert "\n# forged" not in markdown(view(data))


def test_no_table_is_shown_of_what_was_not_measured() -> None:
    assert assessment(example().model_copy(update={"measures": ()})) is None
    aware = tuple(one for one in probed() if one.measure == AWARE)
    standings = tuple(one for one in assessed().standings if one.measure == AWARE)
    bare = Assessed(situations=40, standings=standings)
    made = section(example().model_copy(update={"measures": aware, "assessed": bare}))
    assert (made.differences, made.dimensions) == (None, None)
    assert made.arms is not None
    assert made.arms.columns == ("arm", AWARE)
    assert len(made.said) == 1
    assert [row[0].text for row in made.arms.rows] == list(ARMS)
    assert "Assessment by dimension" not in markdown(view(shown(bare).model_copy(update={"measures": aware})))
