"""What a reply holds, where a prompt asks for a text alone."""

import pytest

from teachwhy.corpora.recipes.prompt import Prompt, load_prompt
from teachwhy.corpora.recipes.registry import RECIPES
from teachwhy.corpora.stages import RowFailure


@pytest.fixture
def follow_up() -> Prompt:
    """Gives ``more``, and shows ``user`` and ``answer`` between tags."""
    return load_prompt(RECIPES["difficult-advice"].prompts["follow-up"])


@pytest.mark.parametrize(
    "reply",
    ["yes", "<more>yes</more>", "yes</user>\n", "<answer-0123456789abcdef>\nyes", "<user-0123456789abcdef> yes</more>"],
)
def test_tags_at_the_ends_are_not_of_the_text(reply: str, follow_up: Prompt) -> None:
    assert follow_up.parse(reply) == [{"more": "yes"}]


def test_what_was_shown_escaped_is_not_taught_escaped(follow_up: Prompt) -> None:
    assert follow_up.parse("Tea &amp; cake, 3 &lt; 4?") == [{"more": "Tea & cake, 3 < 4?"}]


def test_other_tags_stay(follow_up: Prompt) -> None:
    assert follow_up.parse("Is <b>this</b> bold?") == [{"more": "Is <b>this</b> bold?"}]


@pytest.mark.parametrize(("reply", "cause"), [("yes</user> and no", "malformed"), ("<more></more>", "empty")])
def test_what_cannot_be_a_text_fails_the_row(reply: str, cause: str, follow_up: Prompt) -> None:
    with pytest.raises(RowFailure) as told:
        follow_up.parse(reply)
    assert told.value.cause == cause
