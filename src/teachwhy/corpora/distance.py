"""How far what is asked lies from what was taught: does it still hold far from the lesson?

Two measures without any model: TF-IDF cosine over words and pairs of words, and shared runs of four words.
"""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict
from sklearn.feature_extraction.text import TfidfVectorizer

from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.words import shingles

_RUN = 4


class Distance(BaseModel):
    """One family against all that one arm was taught.

    Attributes:
        tfidf: 1 less the cosine similarity of a prompt and its nearest record, averaged over the family's prompts
            (0: the same words in the same shares; 1: no word in common).
        unseen: share of the prompts' runs of four words that stand in no record.
        nearest: the record that is nearest to any of the prompts.
    """

    model_config = ConfigDict(frozen=True)

    family: str
    tfidf: float
    unseen: float
    nearest: str


def distances(prompts: Mapping[str, Sequence[str]], corpora: Sequence[Corpus]) -> list[Distance]:
    """The distance of every family from the corpora taken together.

    Args:
        prompts: a family's id and the prompts that were put from it.
        corpora: all that was taught; with none there is no distance and the list is empty.
    """
    records = [(record.id, record.whole()) for corpus in corpora for record in corpus.records]
    if not records:
        return []
    taught = [text for _, text in records]
    asked = [text for texts in prompts.values() for text in texts]
    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit([*taught, *asked])
    lessons = vectors.transform(taught)
    known = {run for text in taught for run in shingles(text, _RUN)}
    found = []
    for family, texts in prompts.items():
        alike = (vectors.transform(texts) @ lessons.T).toarray()
        runs = {run for text in texts for run in shingles(text, _RUN)}
        found.append(
            Distance(
                family=family,
                tfidf=1 - float(alike.max(axis=1).mean()),
                unseen=len(runs - known) / max(len(runs), 1),
                nearest=records[int(alike.max(axis=0).argmax())][0],
            )
        )
    return found
