"""The audit: what is wrong with a corpus, measured before it is taught."""

from teachwhy.corpora.audit.duplicates import exact_duplicates, near_duplicates, reworded_duplicates
from teachwhy.corpora.audit.leaks import MOST_BREACHES, Asked, asked_of
from teachwhy.corpora.audit.result import RULES, Audit, Check, Covered, known_checks
from teachwhy.corpora.audit.run import audit, audit_file, count_records
from teachwhy.corpora.audit.separability import separability
from teachwhy.corpora.talk import talk_of_tests
from teachwhy.corpora.words import shingles, words

__all__ = [
    "MOST_BREACHES",
    "RULES",
    "Asked",
    "Audit",
    "Check",
    "Covered",
    "asked_of",
    "audit",
    "audit_file",
    "count_records",
    "exact_duplicates",
    "known_checks",
    "near_duplicates",
    "reworded_duplicates",
    "separability",
    "shingles",
    "talk_of_tests",
    "words",
]
