"""The tables of suites and distances say what the data say, and missing is never a number."""

from teachwhy.analysis import Interval
from teachwhy.report.data import Far, Measure
from teachwhy.report.measures import distance_table, suite_tables


def measure(**change: object) -> Measure:
    plain: dict[str, object] = {
        "suite": "knowledge",
        "measure": "right",
        "unit": "rate",
        "better": "higher",
        "arm": "reasons",
        "samples": 40,
        "causes": {"unparsable": 2},
        "mean": 0.456,
        "interval": Interval(low=0.3, high=0.6),
        "against": "organism",
        "shift": -0.05,
        "shift_interval": Interval(low=-0.1, high=0.02),
    }
    return Measure.model_validate(plain | change)


def test_a_value_stands_with_its_interval_shift_and_missing() -> None:
    [table] = suite_tables([measure()])
    entry = table.rows[0][1]
    assert table.columns == ("arm", "right (higher is better)")
    assert entry.text == "45.6 %"
    assert entry.below == (
        "[30.0 %, 60.0 %]",
        "−5.0 [−10.0, +2.0] against organism",
        "n 40, 2 missing",
        "2 missing: unparsable",
    )


def test_a_reliability_stands_beside_its_value_and_is_explained() -> None:
    [table] = suite_tables([measure(unit="nats", reliability=0.812)])
    assert "split-half reliability 0.81" in table.rows[0][1].below
    assert "Spearman-Brown" in table.note
    assert "Spearman-Brown" not in suite_tables([measure()])[0].note


def test_no_value_is_missing_and_never_zero() -> None:
    [table] = suite_tables([measure(mean=None, interval=None, samples=0, shift=None, shift_interval=None)])
    assert table.rows[0][1].text == "missing"
    assert table.rows[0][1].tone == "bad"


def test_each_suite_has_a_table_of_its_own() -> None:
    both = suite_tables([measure(), measure(suite="perplexity", measure="nats_per_token", unit="nats", better="lower")])
    assert [table.caption for table in both] == ["knowledge", "perplexity"]


def far(family: str, tfidf: float, scored: int) -> Far:
    return Far(
        arm="reasons", kind="harm", family=family, scored=scored, wrong=0, tfidf=tfidf, unseen=0.9, nearest="record"
    )


def test_families_stand_from_the_nearest_to_the_farthest() -> None:
    table = distance_table([far("harm-far", 0.97, 4), far("harm-near", 0.91, 0)])
    assert table is not None
    assert [row[0].text for row in table.rows] == ["harm-near", "harm-far"]
    assert [row[1].text for row in table.rows] == ["missing", "0 %"]
    assert distance_table([]) is None
