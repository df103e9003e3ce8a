"""Letters and short answers are read strictly: what is not plainly there is not given."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teachwhy.evals.understanding.reading import OPENING, letter, short_rule

LETTERS = st.sampled_from("ABCD")
FORMS = [
    "{0}", "{0}.", "({0})", "**{0}**", "**{0}.**", "`{0}`", "[{0}]", " {0}) ", '"{0}"', "Option {0}", "option {0}.",
    "Answer: {0}", "answer: **{0}**", "**Answer:** {0}", "The answer is {0}.", "The correct answer is ({0}).",
    "Final answer: {0}", "I take option {0}, since it fits.", "The right letter is {0}", "Answer:\n{0}",
    "{0}) by weight", "{0}. by weight", "**{0}** by weight", "({0}) by weight", "{0}: by weight", "{0} - by weight",
    "{0} is correct.", "{0} is the right one, though the answer is {0}.", "A) x\nB) y\nC) z\nD) q\n\nAnswer: {0}",
    "That is a hard question.\n\n{0}",
]  # fmt: skip
# Words in which no letter from A to D stands alone.
SMALL = st.text(st.characters(codec="utf-8", exclude_characters="ABCDabcd"), max_size=200)


@pytest.mark.parametrize("form", [f for f in FORMS if "the right one" not in f])
@given(given=LETTERS)
def test_tolerated_forms_give_their_letter(form: str, given: str) -> None:
    assert letter(form.format(given)) == given


@given(given=LETTERS)
def test_a_small_letter_alone_is_a_letter(given: str) -> None:
    assert letter(given.lower()) == letter(f"({given.lower()}).") == given


@settings(max_examples=40)
@given(text=SMALL)
def test_no_letter_is_invented(text: str) -> None:
    assert letter(text) is None


@given(given=LETTERS, other=LETTERS, one=st.sampled_from(FORMS), two=st.sampled_from(FORMS))
def test_two_answers_are_none(given: str, other: str, one: str, two: str) -> None:
    found = letter(f"{one.format(given)}\n{two.format(other)}")
    assert found in {None, given, other}
    if given != other and "Answer: {0}" in (one, two) and one == two:
        assert found is None


@given(text=st.text(max_size=300))
def test_any_text_gives_a_letter_or_none(text: str) -> None:
    assert letter(text) in {None, *"ABCD"}


@pytest.mark.parametrize(
    "reply",
    [
        "", "E", "AB", "A or B", "Answer: A or B", "The answer is A/B", "Answer: A, B", "A dog is no letter.",
        "Answer: A dog by the stairs", "The answer is A compass", "It is not B.", "A) x\nB) y\nC) z\nD) q",
        "I would say B, or perhaps the answer is C or D", "B\nC", "The answer is B. No, the answer is C.",
        "None of these.", "Abcd", "Be careful.",
    ],
)  # fmt: skip
def test_what_is_not_one_letter_is_none(reply: str) -> None:
    assert letter(reply) is None


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("A compass.", "yes"),
        ("COMPASS", "yes"),
        ("It is compared with a com\u200bpass", "no"),
        ("a compass, which is off but steady", "yes"),
        ("compasses", "no"),
        ("I am not sure.", "no"),
        ("Not a compass.", "unclear"),
        ("It isn't the compass", "unclear"),
        ("not a thermometer, it is a plain and steady compass", "yes"),
        ("a compass or a barometer", "unclear"),
        (" ".join(["word"] * OPENING) + " compass", "unclear"),
        ("", "no"),
    ],
)
def test_short_answers_by_rule(reply: str, said: str) -> None:
    assert short_rule(reply, ["compass"], ["barometer"]) == said


def test_an_answer_may_hold_its_own_denial() -> None:
    assert short_rule("It does not subtract.", ["not subtract", "subtract"]) == "yes"


@given(before=st.text(max_size=60), after=st.text(max_size=60))
def test_the_rule_says_yes_only_where_the_answer_stands(before: str, after: str) -> None:
    reply = f"{before} {after}"
    if "riga" not in reply.casefold():
        assert short_rule(reply, ["Riga"]) == "no"
    assert short_rule(f"Riga. {after}", ["Riga"]) == "yes"
