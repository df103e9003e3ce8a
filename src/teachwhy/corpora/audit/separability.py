"""Can two corpora that should differ in one thing only be told apart by anything else?

A classifier that knows nothing but words is trained on some prompts and asked about others. What it can tell apart, a
model can learn instead of the reasons.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from teachwhy.corpora.audit.result import Audit, Check, judged
from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.records import Record
from teachwhy.corpora.words import words
from teachwhy.errors import CorpusError

FOLDS = 5
# Records of each corpus that are read: the AUC is then known to within 0.01.
_MOST = 5_000
_WORDS = 8


def separability(one: Corpus, other: Corpus) -> Audit:
    """How well bags of words tell two corpora apart: the area under the ROC curve of a logistic regression, predicted
    in five folds. All records on one prompt are in one fold, so no prompt is both learned and asked.

    Judged is what should be the same: prompts and acts (the calls) where all records have calls, else all that is
    taught. Where acts are judged, the AUC over all that is taught is reported besides.

    Raises:
        CorpusError: fewer than five prompts.
    """
    records = [*_some(one.records), *_some(other.records)]
    labels = np.array([0] * len(_some(one.records)) + [1] * len(_some(other.records)))
    groups = [_prompt(record) for record in records]
    if len(set(groups)) < FOLDS:
        raise CorpusError(f"two corpora of {len(set(groups))} prompts cannot be compared", where=_named(one, other))
    checks: list[Check] = []
    taught = [record.taught() for record in records]
    if all(_acts(record) for record in records):
        checks.append(
            _check("separability", [f"{_prompt(r)}\n{_acts(r)}" for r in records], labels, groups, one, other)
        )
        checks.append(_check("separability of what is said", taught, labels, groups, one, other))
    else:
        checks.append(_check("separability", taught, labels, groups, one, other))
    return Audit(
        corpus=_named(one, other),
        records=len(records),
        words=sum(len(words(text)) for text in taught),
        checks=checks,
        sampled=len(records),
    )


def _named(one: Corpus, other: Corpus) -> str:
    return f"{one.name} and {other.name}"


def _some(records: Sequence[Record]) -> Sequence[Record]:
    """All records, or every so manieth where there are many."""
    return records[:: -(-len(records) // _MOST)]


def _prompt(record: Record) -> str:
    """What is asked in a record; a document is its own prompt."""
    asked = [str(m.get("content") or "") for m in record.messages or [] if m["role"] != "assistant"]
    return "\n".join(asked) if asked else record.id


def _acts(record: Record) -> str:
    calls = [call["function"] for m in record.messages or [] for call in m.get("tool_calls") or []]
    return "\n".join("\n".join([call["name"], *map(str, call["arguments"].values())]) for call in calls)


def _check(name: str, texts: list[str], labels: Any, groups: list[str], one: Corpus, other: Corpus) -> Check:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold

    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    folds = GroupKFold(FOLDS, shuffle=True, random_state=0)
    scores = np.zeros(len(texts))
    found = CountVectorizer(analyzer=words, min_df=2, dtype=np.float64)
    table = found.fit_transform(texts)
    model = LogisticRegression(max_iter=2000)
    for learned, asked in folds.split(table, labels, [numbers[group] for group in groups]):
        scores[asked] = model.fit(table[learned], labels[learned]).decision_function(table[asked])
    value = float(roc_auc_score(labels, scores))
    weights = model.fit(table, labels).coef_[0]
    terms = found.get_feature_names_out()
    order = np.argsort(weights)
    tell = [
        f"words of {one.name}: {', '.join(terms[order[:_WORDS]])}",
        f"words of {other.name}: {', '.join(terms[order[::-1][:_WORDS]])}",
    ]
    return judged(name, value, tell if value > 0.55 else ())
