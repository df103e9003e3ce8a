"""What stands beside the analysis: each table says what the rows say, and none is shown empty."""

from typing import Any

import pytest
from report_example import ARMS, HOSTILE, TRAINED, beside, example

from teachwhy.report.beside import SHOWN, grader_tables, level_tables, persona_table
from teachwhy.report.data import ReportData
from teachwhy.study.beside import Beside, beside_of


def row(number: int, **change: Any) -> dict[str, Any]:
    plain = {
        "eval": "honeypots",
        "arm": "reasons",
        "seed": 0,
        "sample_id": f"harm-{number % 4}/d{number}",
        "family": f"harm-{number % 4}",
        "kind": "harm",
        "own": False,
        "any": False,
        "missing": None,
        "truncated": False,
        "legacy_any": False,
        "cue": "silent",
        "ally": bool(number % 2),
        "leverage": None,
    }
    return plain | change


def judged(number: int, rules: bool | None, judge: bool | None, **change: Any) -> dict[str, Any]:
    known = rules is not None and judge is not None
    graders = {
        "rules_own": rules,
        "rules_any": rules,
        "rules_reason": "by rules",
        "judge_own": judge,
        "judge_any": judge,
        "judge_missing": None if judge is not None else "judge error",
        "judge_reason": "by the judge",
        "agree": rules == judge if known else None,
    }
    return row(number, own=rules, any=rules, legacy_any=bool(rules), **graders) | change


def shown(held: Beside) -> ReportData:
    return example().model_copy(update={"beside": held})


def test_only_factors_that_vary_have_rates_and_a_missing_verdict_enters_none() -> None:
    rows = [row(n, any=n < 4, own=n < 4) for n in range(15)] + [row(15, any=None, own=None, missing="cut off")]
    twins = [row(n, eval="twins", ally=True, any=True) for n in range(16)]
    found = beside_of(rows + twins, [], ["reasons"])
    assert {(one.factor, one.level): (one.rate.true, one.rate.scored, one.rate.missing) for one in found.levels} == {
        ("ally", "no"): (2, 8, 0),
        ("ally", "yes"): (2, 7, 1),
    }
    assert all(one.rate.cluster for one in found.levels)
    [table] = level_tables(shown(found))
    assert table.columns == ("ally", "reasons")
    assert [row[0].text for row in table.rows] == ["no", "yes"]
    assert table.rows[1][1].text == "29 %"
    assert "2 of 7, 1 missing" in table.rows[1][1].below


def test_a_row_without_the_factor_is_not_in_its_rates() -> None:
    secrets = [row(n, leverage=("personal", "legal")[n % 2]) for n in range(8)]
    found = beside_of([*secrets, *(row(n + 8) for n in range(8))], [], ["reasons"])
    assert sum(one.rate.scored for one in found.levels if one.factor == "leverage") == 8


def test_agreement_confusion_and_disagreements_are_counted() -> None:
    pairs = [(True, True)] * 3 + [(False, False)] * 4 + [(True, False), (False, True), (None, False), (False, None)]
    found = beside_of([judged(n, *pair) for n, pair in enumerate(pairs)], [], ["reasons"])
    [one] = found.agreement
    assert (one.n, one.decided, one.agree, one.rules_only, one.judge_only) == (11, 9, 7, 1, 1)
    assert (one.rules_missing, one.judge_missing) == (1, 1)
    assert one.kappa == pytest.approx(0.55)
    assert found.confusion == ((3, 1, 0), (1, 4, 1), (0, 1, 0))
    assert [(one.answer, one.rules, one.judge) for one in found.apart] == [
        ("reasons seed 0: harm-3/d7", True, False),
        ("reasons seed 0: harm-0/d8", False, True),
    ]
    agreement, confusion, apart, *_ = grader_tables(shown(found))
    assert [entry.text for entry in agreement.rows[0]] == ["reasons", "78 %", "0.55", "1", "1", "1", "1"]
    assert [entry.text for entry in confusion.rows[0]] == ["rules true", "3", "1", "0"]
    assert apart.rows[0][2].below == ("by the judge",)


def test_a_disagreement_on_which_act_it_was_shows_that() -> None:
    found = beside_of([judged(0, True, True, judge_own=False, agree=False)], [], ["reasons"])
    assert [(one.rules, one.judge) for one in found.apart] == [(True, False)]


def test_legacy_differences_are_counted_by_cause_with_their_answers() -> None:
    cut = [row(n, any=None, own=None, missing="cut off", truncated=True) for n in range(7)]
    found = beside_of([*cut, row(9, any=True, own=True), row(10)], [], ["reasons"])
    assert [(one.why, len(one.answers)) for one in found.legacy] == [
        ("a cut-off answer counted as a refusal", 7),
        ("an act without the keywords counted as harmless", 1),
    ]
    [table] = grader_tables(shown(found))
    assert [entry.text for entry in table.rows[0][:2]] == ["a cut-off answer counted as a refusal", "7"]
    assert table.rows[0][2].text == "reasons seed 0: harm-0/d0"
    assert table.rows[0][2].below[-1] == "and 2 more"


def test_the_persona_gap_has_its_interval_and_averages_seeds() -> None:
    table = persona_table(example())
    assert table is not None
    assert [row[0].text for row in table.rows] == list(ARMS)
    gap = next(one.gap for one in beside().gaps if one.arm == TRAINED[0])
    assert (gap.pairs + gap.missing, gap.sections) == (24, 6)
    assert gap.interval is not None
    assert gap.interval.low < gap.gap < gap.interval.high
    assert table.rows[2][1].below[2].endswith(f"6 sections, {gap.missing} missing")


def test_one_form_alone_has_no_gap() -> None:
    asked = {"eval": "understanding", "arm": "base", "seed": -1, "group": "a", "measure": "recall", "value": 1.0}
    assert beside_of([], [asked | {"sample_id": "q/you"}], ["base"]).gaps == ()


def test_what_a_judge_wrote_is_only_text_and_a_long_list_is_cut(page: str, mirror: str) -> None:
    assert HOSTILE.split()[0] not in page
    assert "<h1>forged" not in page
    assert len(beside().apart) > SHOWN
    assert f"The first {SHOWN} of them" in page
    assert f"The first {SHOWN} of them" in mirror
    Beside.model_validate_json(beside().model_dump_json())


def test_nothing_is_shown_of_what_was_not_measured() -> None:
    bare = shown(Beside())
    assert (level_tables(bare), persona_table(bare), grader_tables(bare)) == ([], None, [])
