"""Distance: nothing between a text and itself, all between texts without a common word, and nearer is less."""

import pytest
from corpora_help import corpus, document

from teachwhy.corpora.distance import distances

LESSON = "The harbour master counts the boats at dusk and writes them in the green book by the stove."


def test_a_prompt_that_was_taught_is_at_no_distance_and_one_without_a_common_word_at_the_whole() -> None:
    taught = [corpus([document(1, LESSON), document(2, "Seven geese crossed a frozen river yesterday.")])]
    same, far = distances({"same": [LESSON], "far": ["Quantum pianists applaud nobody."]}, taught)
    assert (same.tfidf, same.unseen, same.nearest) == (pytest.approx(0, abs=1e-9), 0, "doc-1")
    assert (far.tfidf, far.unseen) == (pytest.approx(1), 1)


def test_the_more_of_a_prompt_was_taught_the_nearer_it_is() -> None:
    taught = [corpus([document(1, LESSON)])]
    half = "The harbour master counts the boats at dusk, while upstairs nobody has slept or eaten since noon."
    little = "The boats were sold, while upstairs nobody has slept or eaten since noon on the longest of days."
    found = {d.family: d for d in distances({"half": [half], "little": [little]}, taught)}
    assert found["half"].tfidf < found["little"].tfidf
    assert found["half"].unseen < found["little"].unseen


def test_nothing_taught_is_no_distance() -> None:
    assert distances({"any": [LESSON]}, []) == []
