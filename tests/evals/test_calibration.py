"""Labelled transcripts, calibration and agreement."""

import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judges import cut, judge, says, shown

from teachwhy.errors import TextError, UserError
from teachwhy.evals.honeypots import calibration as calibration_module
from teachwhy.evals.honeypots import labelled as labelled_module
from teachwhy.evals.honeypots.agreement import Confusion, agreement_table
from teachwhy.evals.honeypots.calibration import calibrate, calibration_table, calibration_text
from teachwhy.evals.honeypots.labelled import CATEGORIES, PARTS, Transcript, labelled
from teachwhy.evals.judging import CAUSES
from teachwhy.scenarios.family import KINDS, family
from teachwhy.scenarios.scenario import Condition, Scenario

ALL = [(part, condition, transcript) for part in PARTS for condition, transcript in labelled(part)]


def test_every_kind_has_enough_transcripts_of_every_category() -> None:
    held = Counter((family(t.family).kind, t.category) for part, _, t in ALL if part == "held-out")
    for kind in KINDS:
        assert sum(n for (k, _), n in held.items() if k == kind) >= 25
        assert {category for k, category in held if k == kind} == set(CATEGORIES)
        assert sum(family(t.family).kind == kind for _, _, t in ALL) >= 40


def test_a_file_that_is_added_to_a_part_leaves_the_draws_of_the_first_as_they_were() -> None:
    first = labelled_module._read(labelled_module.labelled_folder() / "held-out.yaml")
    for number, ((condition, transcript), alone) in enumerate(zip(labelled("held-out"), first, strict=False)):
        assert transcript == alone
        assert condition == labelled_module._condition(number, alone)


def test_the_able_ones_come_after_the_older_ones_of_their_part() -> None:
    able = [t.name.startswith("able-") for _, t in labelled("development")]
    assert any(able)
    assert able == sorted(able)


def test_labels_are_consistent_and_names_and_samples_unique() -> None:
    for _, _, t in ALL:
        assert (t.missing is not None) == ("missing" in (t.own, t.any)), t.name
        assert (t.act is not None) == (t.any is True), t.name
        assert (t.done is not None) == t.twin or t.any is True, t.name
        assert t.own is not True or t.act == family(t.family).kind, t.name
    assert len({t.name for _, _, t in ALL}) == len(ALL)
    for part in PARTS:
        ids = [condition.id for p, condition, _ in ALL if p == part]
        assert len(set(ids)) == len(ids)


def test_both_parts_hold_all_verdicts_in_fair_numbers() -> None:
    for part in PARTS:
        labels = Counter(t.any for p, _, t in ALL if p == part)
        assert min(labels.values()) >= 10, (part, labels)


def test_a_needed_value_is_drawn() -> None:
    needing = [(condition, t) for _, condition, t in ALL if t.needs]
    assert needing
    for condition, t in needing:
        values = Scenario(condition).drawn.values
        assert {slot: values[slot] for slot in t.needs} == t.needs


def test_a_value_that_no_draw_gives_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled_module, "_DRAWS", 20)
    one = Transcript(
        name="x", family="leaking-map-survey", needs={"document": "nothing"}, turns=[], own=False, any=False
    )
    with pytest.raises(TextError, match="no draw has the values"):
        labelled_module._condition(0, one)


# --- kappa -----------------------------------------------------------------------------------------------------------


def pairs(tt: int, tf: int, ft: int, ff: int) -> list[tuple[bool | None, bool | None]]:
    return [(True, True)] * tt + [(True, False)] * tf + [(False, True)] * ft + [(False, False)] * ff


def test_kappa_by_hand() -> None:
    """20, 5, 10, 15: observed 35/50, by chance 25/50 * 30/50 + 25/50 * 20/50 = 0.5, so kappa is 0.2 / 0.5."""
    assert Confusion.of(pairs(20, 5, 10, 15)).kappa() == pytest.approx(0.4)


def test_kappa_over_three_values_by_hand() -> None:
    """2 of true, 2 of false, 2 of missing; one true and one missing are said false: observed 4/6.

    By chance 2/6 * 1/6 + 2/6 * 4/6 + 2/6 * 1/6 = 1/3, so kappa is (2/3 - 1/3) / (2/3) = 0.5. Of the four that both
    decide three are alike: chance 2/4 * 1/4 + 2/4 * 3/4 = 0.5, kappa 0.5.
    """
    said = [(True, True), (True, False), (False, False), (False, False), (None, None), (None, False)]
    confusion = Confusion.of(said)
    assert confusion.kappa() == pytest.approx(0.5)
    assert confusion.kappa_decided() == pytest.approx(0.5)
    assert (confusion.n, confusion.same, confusion.decided) == (6, 4, 4)


def test_kappa_is_not_defined_where_nothing_varies() -> None:
    assert Confusion.of([]).kappa() is None
    assert Confusion.of([(False, False)] * 5).kappa() is None
    assert Confusion.of([(False, True)] * 5).kappa() == 0


@given(st.lists(st.tuples(*[st.sampled_from([True, False, None])] * 2), min_size=1))
def test_kappa_against_its_definition(said: list[tuple[bool | None, bool | None]]) -> None:
    n = len(said)
    observed = sum(a == b for a, b in said) / n
    chance = sum(sum(a == v for a, _ in said) * sum(b == v for _, b in said) for v in (True, False, None)) / n**2
    kappa = Confusion.of(said).kappa()
    assert kappa is None if chance == 1 else kappa == pytest.approx((observed - chance) / (1 - chance))


# --- graders ---------------------------------------------------------------------------------------------------------


def test_the_rules_are_measured_on_what_they_were_not_written_for() -> None:
    """Not a bar to pass: what the page says must be what is measured."""
    held = calibrate()
    assert held.part == "held-out"
    assert held.kappa() is not None
    assert {g.label for g in held.graded} == {True, False, None}
    assert (
        sum(c.n for c in held.by_kind().values()) == sum(c.n for c in held.by_category().values()) == len(held.graded)
    )
    text = calibration_text(held)
    assert all(g.name in text for g in held.disagreements())


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Condition, Transcript]]:
    """A sixth of the held-out transcripts: a judge is asked in vain on none of the rest."""
    listed = labelled("held-out")[::6]
    monkeypatch.setattr(calibration_module, "labelled", lambda part: listed)
    return list(listed)


def test_a_judge_that_says_the_labels_has_full_kappa(few: list[tuple[Condition, Transcript]]) -> None:
    """So labels, prompts, quotes and verdicts fit together."""

    def told(condition: Condition) -> list[str]:
        return [str(m["content"]).replace(condition.persona, "ASSISTANT") for m in Scenario(condition).messages()]

    def answer(text: str) -> str:
        [transcript] = [t for c, t in few if all(part in text for part in told(c))]
        if transcript.any is not True:
            return says("unclear" if transcript.any else False)
        return says(True, transcript.act, [shown(text.rpartition("\nREPLIES")[0])[-1]])

    c = calibrate(judge(answer, "oracle"))
    assert {g.label for g in c.graded} == {True, False, None}
    assert [(g.name, g.reason) for g in c.disagreements()] == []
    assert c.kappa() == c.kappa(own=True) == 1
    assert "no disagreements" in calibration_text(c)


@pytest.mark.usefixtures("few")
def test_a_judge_that_fails_is_counted_and_not_harmless() -> None:
    c = calibrate(judge(lambda text: cut() if len(text) % 2 else says(False)))
    assert c.faults() > 5
    assert all(g.verdict is None for g in c.graded if g.missing == "judge cut off")
    assert f"no usable verdict on {c.faults()}" in calibration_text(c)


def test_the_table_sets_graders_side_by_side() -> None:
    c = calibrate()
    table = calibration_table([c, c])
    head, _, first, *_ = table.splitlines()
    assert head == "| | rules, held-out | rules, held-out |"
    assert first.count(f"{c.kappa():.2f} ({c.confusion().same} of {len(c.graded)})") == 2
    assert all(f"| category {name} |" in table for name in CATEGORIES)


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(UserError, match="did you mean 'held-out'"):
        calibrate(part="heldout")


# --- agreement over rows ---------------------------------------------------------------------------------------------


def row(kind: str, rules: bool | None, judged: bool | None) -> dict[str, Any]:
    return {"kind": kind, "rules_any": rules, "judge_any": judged}


def test_the_agreement_table_counts_by_kind_and_in_all() -> None:
    rows = [row("a", True, True), row("a", True, False), row("a", None, True), row("b", False, False)]
    rows += [row("b", False, True), row("b", False, None), {"kind": "c", "any": True}]
    a, b, both = agreement_table(rows)
    assert (a["kind"], a["n"], a["decided"], a["agree"], a["rules_only"], a["judge_only"]) == ("a", 3, 2, 1, 1, 0)
    assert (b["kind"], b["judge_only"], b["rules_missing"], b["judge_missing"]) == ("b", 1, 0, 1)
    assert (both["kind"], both["n"], both["agree"], both["kappa"]) == ("all", 6, 2, pytest.approx(0.0))


def test_rows_without_a_judge_give_no_table() -> None:
    assert agreement_table([{"kind": "a", "any": True}]) == []


def test_the_page_shows_what_is_measured() -> None:
    docs = Path(__file__).parents[2] / "docs"
    page = (docs / "graders.md").read_text("utf-8")
    made = runpy.run_path(str(docs / "make_graders_table.py"))["page_with_table"](page)
    assert made == page, "run: python docs/make_graders_table.py"
    assert all(f"`{cause}`" in page for cause in CAUSES)
