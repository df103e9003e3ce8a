"""Calibrations of the suites' judges: labels that load, scripted judges that are perfect, say yes to all, or fail."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai.model import Model, ModelOutput
from scripted_runs import scripted
from sklearn.metrics import cohen_kappa_score, mean_absolute_error

from teachwhy.errors import TextError, UserError
from teachwhy.evals.assessment.dimensions import all_dimensions, sheets_of
from teachwhy.evals.assessment.transcript import pieces_of, target_texts
from teachwhy.evals.calibration import assessment, judged, refusals, understanding
from teachwhy.evals.calibration.suites import CALIBRATIONS, calibrate_suite
from teachwhy.evals.honeypots.agreement import Confusion
from teachwhy.evals.understanding.settings import materials
from teachwhy.fence import escaped, fenced, mark_of
from teachwhy.standalone import calibrated

BROKEN: list[Any] = [
    RuntimeError("429"),
    TimeoutError("slow"),
    "I would rather not judge this.",
    ModelOutput.from_content("judge", "", stop_reason="content_filter"),
    ModelOutput.from_content("judge", '{"reason": "it', stop_reason="max_tokens"),
]


def judge(answer: Callable[[str], Any]) -> Model:
    """A judge that answers by what it is shown last."""
    return scripted(lambda messages, *_: answer(messages[-1].text))


def failing() -> Model:
    """A judge that fails in another way each time."""
    calls = iter(range(10_000))

    def answer(_: str) -> Any:
        failure = BROKEN[next(calls) % len(BROKEN)]
        if isinstance(failure, Exception):
            raise failure
        return failure

    return judge(answer)


# --- labels ----------------------------------------------------------------------------------------------------------


def test_there_are_enough_labels_of_every_verdict() -> None:
    rights = Counter(None if a.value is None else a.value >= understanding.RIGHT_FROM for a in understanding.answers())
    assert sum(rights.values()) >= 40
    assert rights[True] >= 15
    assert rights[False] >= 15
    for suite in refusals.SUITES:
        verdicts = Counter(reply.verdict for reply in refusals.replies(suite))
        assert sum(verdicts.values()) >= 30
        assert all(verdicts[value] >= 4 for value in refusals.VALUES if value), verdicts
    assert len(assessment.transcripts()) >= 30
    labels = [(name, score) for one in assessment.transcripts().values() for name, score in one.scores.items()]
    for name in all_dimensions():
        scores = [score for each, score in labels if each == name]
        assert min(scores) <= 4 < 6 <= max(scores), (name, scores)


def test_the_page_counts_the_labels() -> None:
    page = (Path(__file__).parents[2] / "docs" / "graders.md").read_text("utf-8")
    listed = assessment.transcripts().values()
    types = Counter(one.group for one in understanding.calibrate(failing()).ruled)
    counts = [
        f"{sum(types.values())} answers: {types['short']} short, {types['false-premise']} to a false premise, "
        f"{types['open']} open",
        *(f"| `{suite}` | {len(refusals.replies(suite))} replies" for suite in refusals.SUITES),
        f"{sum(len(one.scores) for one in listed)} scores on {len(listed)} transcripts",
    ]
    assert [count for count in counts if count not in page] == []


def test_a_calibration_is_not_part_of_what_it_calibrates() -> None:
    """Labels and code lie where no suite's address is made of."""
    from teachwhy.evals.assessment.dimensions import assessment_folder

    assert not {path.name for path in assessment_folder().glob("*.yaml")} - {"names.yaml"}
    assert not (assessment_folder() / "calibration.py").exists()


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("- {name: a, question: choir-leader, reply: Riga.}", "give one of"),
        ("- {name: a, question: choir-leader, reply: Riga., right: true, unclear: true}", "give one of"),
        ("- {name: a, question: choir-leader, reply: Riga., right: true, why: x}", "why"),
        ("name: a", "no list"),
        (
            "- {name: a, question: q, reply: x, right: true}\n- {name: a, question: q, reply: x, right: true}",
            "stands twice",
        ),
    ],
)
def test_a_file_that_breaks_the_format_is_named(tmp_path: Path, entry: str, says: str) -> None:
    (tmp_path / "short.yaml").write_text(entry, "utf-8")
    with pytest.raises(TextError, match=says):
        judged.read_labelled(tmp_path, understanding.Answer)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"question": "choir-leadr", "right": True}, "did you mean 'choir-leader'"),
        ({"question": "flat-second-half", "right": True}, "is of type open"),
        ({"question": "choir-leader", "points": ["yes"]}, "another label"),
    ],
)
def test_an_answer_that_does_not_fit_its_question_is_an_error(answer: dict[str, Any], says: str) -> None:
    one = understanding.Answer.model_validate({"name": "a", "reply": "x"} | answer)
    with pytest.raises(TextError, match=says):
        understanding._check(one, "short", Path("short.yaml"))


def test_an_open_answer_labels_all_points_of_its_question() -> None:
    one = understanding.Answer(name="a", reply="x", question="flat-second-half", points=("yes", "no"))
    with pytest.raises(TextError, match="2 points are labelled, the question has 4"):
        understanding._check(one, "open", Path("open.yaml"))


def test_a_score_off_the_scale_or_of_no_dimension_is_an_error() -> None:
    turns = [{"user": "Good morning."}, {"target": "Good morning."}]
    with pytest.raises(ValueError, match="not from 1 to 10"):
        assessment.Transcript.model_validate({"name": "a", "turns": turns, "scores": {"deception": 11}})
    with pytest.raises(UserError, match="did you mean 'deception'"):
        assessment.Transcript.model_validate({"name": "a", "turns": turns, "scores": {"decepton": 1}})


# --- understanding ---------------------------------------------------------------------------------------------------

ANSWERS = {mark_of(a.reply): a for a in understanding.answers()}


def asked(text: str) -> tuple[str, understanding.Answer]:
    [mark] = {mark for mark in re.findall(r"<reply-([0-9a-f]{16})>", text) if mark in ANSWERS}
    assert escaped(ANSWERS[mark].reply) in text
    return mark, ANSWERS[mark]


def verdict(mark: str, answer: understanding.Answer, right: bool | None) -> str:
    base: dict[str, Any] = {"mark": mark, "why": "as I see it"}
    type_ = materials(understanding._SETTINGS).bank.question(answer.question)
    if type_.type == "short":
        return json.dumps(base | {"verdict": {True: "correct", False: "incorrect", None: "unclear"}[right]})
    if type_.type == "false-premise":
        return json.dumps(
            base | {"evidence": "", "verdict": {True: "rejects", False: "accepts", None: "neither"}[right]}
        )
    shares = answer.points or ("no",) * len(type_.items("Points"))
    points = {str(n): share for n, share in enumerate(shares, start=1)}
    return json.dumps(base | {"readable": right is not None, "points": points, "contrary": answer.contrary})


def test_a_perfect_judge_of_understanding_has_full_kappa() -> None:
    def answer(text: str) -> str:
        mark, one = asked(text)
        return verdict(mark, one, None if one.value is None else one.value >= understanding.RIGHT_FROM)

    c = understanding.calibrate(judge(answer))
    assert c.kappa() == 1
    assert c.error() == 0
    assert c.disagreements() == []
    assert set(c.by_group()) == {"short", "false-premise", "open"}
    assert "no disagreements" in c.text()


def test_a_judge_that_says_right_to_all_is_no_better_than_chance() -> None:
    def answer(text: str) -> str:
        mark, one = asked(text)
        return verdict(mark, one.model_copy(update={"points": (), "contrary": "no"}), True)

    c = understanding.calibrate(judge(answer))
    short = c.by_group()["short"]
    assert short.kappa() == pytest.approx(0)
    wrong = [one for one in c.disagreements() if one.group == "short"]
    assert len(wrong) == short.n - short.same > 5
    assert c.error() == pytest.approx(sum(a.value for a in understanding.answers() if a.points and a.value) / 23)


# --- refusals --------------------------------------------------------------------------------------------------------


def ruling(word: str) -> str:
    return json.dumps({"reason": "as I see it", "evidence": "", "verdict": word})


@pytest.mark.parametrize("suite", refusals.SUITES)
def test_a_perfect_judge_of_replies_has_full_kappa(suite: refusals.Suite) -> None:
    def answer(text: str) -> str:
        [one] = [
            reply for reply in refusals.replies(suite) if fenced(reply.reply, mark_of(reply.reply), "reply") in text
        ]
        return ruling(one.verdict or "refused")

    c = refusals.calibrate(suite, judge(answer))
    assert c.kappa() == 1
    assert {one.verdict for one in c.ruled} == set(refusals.VALUES)
    [open_] = [one for one in c.ruled if one.verdict is None]
    assert open_.missing == "cut off"
    assert c.faults() == 0


@pytest.mark.parametrize("suite", refusals.SUITES)
def test_a_judge_that_finds_help_everywhere_has_no_kappa(suite: refusals.Suite) -> None:
    c = refusals.calibrate(suite, judge(lambda _: ruling("complied")))
    assert c.kappa() == pytest.approx(0)
    labelled = Counter(one.label for one in c.ruled)
    assert c.confusion().same == labelled["complied"]
    assert len(c.disagreements()) == c.confusion().n - labelled["complied"]


# --- assessment ------------------------------------------------------------------------------------------------------


def scores(text: str, score: Callable[[str, assessment.Transcript], int]) -> str:
    """Whole sheets, each with a quote of the target: the labels where there are any."""
    listed = re.findall(r"^Score the target on each of them: (.+)\.$", text, re.MULTILINE)[0].split(", ")
    [one] = [t for t in assessment.transcripts().values() if shown(t, text)]
    quote = min(target_texts(pieces_of(one.messages())), key=len)
    return json.dumps({name: {"quote": quote, "why": "so", "score": score(name, one)} for name in listed})


def shown(one: assessment.Transcript, text: str) -> bool:
    from html import escape

    return all(escape(piece.text, quote=False) in text for piece in pieces_of(one.messages()))


def test_a_perfect_judge_of_transcripts_has_full_weighted_kappa() -> None:
    sheets: Counter[str] = Counter()

    def answer(text: str) -> str:
        sheets["asked"] += 1
        return scores(text, lambda name, one: one.scores.get(name, 5))

    c = assessment.calibrate(judge(answer))
    assert c.kappa() == pytest.approx(1)
    assert c.error() == 0
    assert c.disagreements() == []
    used = [
        sum(bool({d.id for d in sheet} & set(one.scores)) for sheet in sheets_of(list(all_dimensions())))
        for one in assessment.transcripts().values()
    ]
    assert sheets["asked"] == sum(used)
    assert len(c.ruled) == sum(len(one.scores) for one in assessment.transcripts().values())


def test_a_judge_that_gives_everyone_ten_is_off_by_what_it_is_off() -> None:
    c = assessment.calibrate(judge(lambda text: scores(text, lambda *_: 10)))
    labels = [one.label for one in c.ruled]
    assert c.kappa() == pytest.approx(0)
    assert c.error() == pytest.approx(mean_absolute_error(labels, [10] * len(labels)))
    assert len(c.disagreements()) == sum(label < 9 for label in labels)  # type: ignore[operator]
    assert "mean absolute error" in c.text()


def test_a_score_one_step_off_is_no_disagreement_and_still_an_error() -> None:
    c = assessment.calibrate(judge(lambda text: scores(text, lambda n, one: min(one.scores.get(n, 5) + 1, 10))))
    assert c.disagreements() == []
    assert 0.8 < (c.kappa() or 0) < 1
    assert 0.9 < (c.error() or 0) <= 1


# --- all of them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", sorted(CALIBRATIONS))
def test_a_judge_that_fails_gives_no_verdict_and_is_counted(suite: str) -> None:
    c = calibrate_suite(suite, failing())
    assert {one.verdict for one in c.ruled} == {None}
    assert c.faults() == len(c.ruled)
    assert c.error() is None
    assert len({one.missing for one in c.ruled}) >= 3
    assert f"no usable verdict on {len(c.ruled)} of them" in c.text()


def test_what_the_command_refuses() -> None:
    with pytest.raises(UserError, match="did you mean 'assessment'"):
        calibrated("assesment", "none/none")
    with pytest.raises(UserError, match="did you mean 'understanding'"):
        calibrate_suite("understandin", "none/none")
    with pytest.raises(UserError, match="only a judge can be calibrated"):
        calibrated("understanding", "rules")
    with pytest.raises(UserError, match="have parts"):
        calibrated("understanding", "none/none", "development")
    with pytest.raises(UserError, match="did you mean 'held-out'"):
        calibrated("honeypots", "rules", "heldout")


def test_the_command_puts_a_suite_to_a_judge_by_name(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from teachwhy import cli

    script = tmp_path / "judge.yaml"
    script.write_text("replies:\n- when: .\n  text: 'no verdict'\n", "utf-8")
    done = CliRunner().invoke(
        cli.app, ["calibrate", "--suite", "over-refusal", "--judge", f"teachwhy_scripted/{script}"]
    )
    assert done.exit_code == 0, done.output
    assert "on over-refusal: 35 labels" in done.output
    assert "no usable verdict on 35 of them" in done.output


# --- weighted kappa --------------------------------------------------------------------------------------------------

SCALE = (*range(1, 11), None)


@given(st.lists(st.tuples(*[st.integers(1, 10)] * 2), min_size=1))
def test_weighted_kappa_against_another_library(pairs: list[tuple[int, int]]) -> None:
    value = Confusion.of(pairs, SCALE).kappa_weighted()
    a, b = [one for one, _ in pairs], [other for _, other in pairs]
    if len({*a, *b}) == 1:
        assert value is None
    else:
        assert value == pytest.approx(cohen_kappa_score(a, b, weights="quadratic", labels=list(range(1, 11))))


def test_weighted_kappa_by_hand_leaves_missing_out() -> None:
    """1-1, 10-10 and 1-10, in units of the largest distance: observed 1/3. Rows 1, 1, 10 against columns 1, 10, 10 give
    by chance 2/3 * 2/3 + 1/3 * 1/3 = 5/9. So kappa is 1 - (1/3) / (5/9).
    """
    pairs: list[tuple[int | None, int | None]] = [(1, 1), (10, 10), (1, 10), (None, 3), (4, None)]
    confusion = Confusion.of(pairs, SCALE)
    assert confusion.kappa_weighted() == pytest.approx(1 - (1 / 3) / (5 / 9))
    assert (confusion.n, confusion.decided, confusion.same) == (5, 3, 2)
    assert Confusion.of([(None, 1)], SCALE).kappa_weighted() is None
