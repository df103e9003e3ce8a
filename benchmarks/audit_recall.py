"""What the audit finds of what is planted, and what it finds where nothing is.

    python benchmarks/audit_recall.py [--records 2000] > recall.md

Prints Markdown tables. Into clean synthetic records (see synthetic.py) are planted: exact and reworded duplicates,
leaks of evaluations, an opener, a name, truncated texts. Recall is of what was planted; false alarms are clean records
that a check names.
"""

import argparse
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import synthetic
from teachwhy.corpora.audit import asked_of, audit, exact_duplicates, near_duplicates, reworded_duplicates
from teachwhy.corpora.audit.language import cut_off
from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.firewall import breaches
from teachwhy.corpora.records import Record
from teachwhy.evals.asked import asked_texts
from teachwhy.scenarios.family import families, prompts

Change = Callable[[str, random.Random], str]
_SMALL = frozenset(re.findall(r"[a-z]+", " ".join(synthetic._SENTENCES).lower()))


def synonyms(share: float) -> Change:
    """Every so manieth content word becomes another one, in all its places."""

    def change(text: str, pick: random.Random) -> str:
        words = sorted({word for word in re.findall(r"[A-Za-z]+", text) if word.lower() not in _SMALL})
        others = synthetic.vocabulary()
        new = {word: pick.choice(others) for word in pick.sample(words, round(share * len(words)))}
        return re.sub(r"[A-Za-z]+", lambda match: new.get(match[0], match[0]), text)

    return change


def reordered(text: str, pick: random.Random) -> str:
    """Its sentences in another order."""
    sentences = re.split(r"(?<=[.?]) ", text)
    return " ".join(pick.sample(sentences, len(sentences)))


def swapped(share: float) -> Change:
    """Neighbouring words change places."""

    def change(text: str, pick: random.Random) -> str:
        words = text.split()
        for at in range(len(words) - 1):
            if pick.random() < share:
                words[at], words[at + 1] = words[at + 1], words[at]
        return " ".join(words)

    return change


def both(one: Change, other: Change) -> Change:
    return lambda text, pick: other(one(text, pick), pick)


def every(nth: int) -> Change:
    """Every so manieth word becomes another one, small words too."""

    def change(text: str, pick: random.Random) -> str:
        words = text.split()
        for at in range(nth // 2, len(words), nth):
            words[at] = pick.choice(synthetic.vocabulary())
        return " ".join(words)

    return change


REWORDED: dict[str, Change] = {
    "10 % synonyms": synonyms(0.1),
    "20 % synonyms": synonyms(0.2),
    "30 % synonyms": synonyms(0.3),
    "sentences reordered, 10 % synonyms": both(reordered, synonyms(0.1)),
    "a tenth of the words swapped with the next, 20 % synonyms": both(swapped(0.1), synonyms(0.2)),
}
BEYOND: dict[str, Change] = {"40 % synonyms": synonyms(0.4), "60 % synonyms": synonyms(0.6)}


@dataclass(frozen=True)
class Row:
    """One planted defect: ids of what was planted, and what each check named."""

    defect: str
    check: str
    planted: frozenset[str]
    found: frozenset[str]

    def shown(self) -> str:
        hit = len(self.planted & self.found)
        return f"| {self.defect} | {self.check} | {len(self.planted)} | {hit / len(self.planted):.1%} |"


def records(texts: Iterable[str], name: str) -> list[Record]:
    return [Record(id=f"{name}-{number}", text=text) for number, text in enumerate(texts)]


def ids(some: Iterable[Record]) -> frozenset[str]:
    return frozenset(record.id for record in some)


def short(text: str, words: int) -> str:
    """Whole sentences of a text up to about so many words."""
    kept: list[str] = []
    for sentence in re.split(r"(?<=[.?]) ", text):
        kept.append(sentence)
        if sum(len(one.split()) for one in kept) >= words:
            break
    return " ".join(kept)


def duplicates(clean: list[Record], pick: random.Random) -> tuple[list[Row], frozenset[str]]:
    """200 exact copies and 200 of them reworded in five ways, and in two ways that go further."""
    exact = records([record.text or "" for record in pick.sample(clean, 200)], "exact")
    kinds = REWORDED | BEYOND
    made = {
        kind: records((change(record.text or "", pick) for record in pick.sample(clean, 40)), f"reworded {kind}")
        for kind, change in kinds.items()
    }
    corpus = [*clean, *exact, *(record for some in made.values() for record in some)]
    near = frozenset(near_duplicates(corpus))
    found = near | frozenset(reworded_duplicates(corpus))
    rows = [Row("exact copies", "exact duplicates", ids(exact), frozenset(exact_duplicates(corpus)))]
    for kind, some in made.items():
        rows.append(Row(kind, "near duplicates alone", ids(some), near))
        rows.append(Row(kind, "near or reworded duplicates", ids(some), found))
    return rows, found & ids(clean)


def leaks(clean: list[Record], pick: random.Random) -> tuple[list[Row], frozenset[str]]:
    """Texts of evaluations between two sentences of a clean record: as they are and edited."""
    held = asked_of(asked_texts()).held
    persona = prompts().meta.personas[0]
    scenes = [
        family.draw(7000 + number, persona).fill(text)
        for number, family in enumerate(families(split="held-out"))
        for text in family.sections.values()
        if len(text.split()) >= 25
    ]
    asked = [text for text in asked_texts().values() if len(text.split()) >= 12]
    rows, corpus = [], list(clean)
    for what, texts in (("a held-out scene", scenes), ("another evaluation", asked)):
        for how, change in (
            ("verbatim", lambda t, _: t),
            ("every 10th word replaced", every(10)),
            ("every 5th word replaced", every(5)),
        ):
            chosen = pick.sample(texts, 25)
            made = [
                f"{' '.join((clean[n].text or '').split()[:40])}. {change(text, pick)} {clean[n + 50].text}"
                for n, text in enumerate(chosen)
            ]
            some = records(made, f"leak {what} {how}")
            corpus += some
            rows.append(Row(f"{what}, {how}", "evaluation overlap", ids(some), frozenset()))
    found = frozenset(breach.record for breach in breaches(corpus, held))
    return [Row(row.defect, row.check, row.planted, found) for row in rows], found & ids(clean)


def truncated(clean: list[Record], pick: random.Random) -> tuple[list[Row], frozenset[str]]:
    """100 texts that end after any word but the last of a sentence."""
    made = []
    for record in pick.sample(clean, 100):
        words = (record.text or "").split()
        places = [at for at in range(20, len(words) - 1) if words[at - 1][-1] not in ".?"]
        made.append(" ".join(words[: pick.choice(places)]))
    some = records(made, "cut")
    found = frozenset(record.id for record in [*clean, *some] if cut_off(record))
    return [Row("cut after any word", "truncated", ids(some), found)], found & ids(clean)


def habits(clean: list[Record], pick: random.Random) -> list[str]:
    """An opener in 40 % and a name in 30 % of the records: what the checks say with and without them."""
    opened = {record.id for record in pick.sample(clean, round(0.4 * len(clean)))}
    named = {record.id for record in pick.sample(clean, round(0.3 * len(clean)))}
    made = []
    for record in clean:
        text = record.text or ""
        text = f"I hear you, and {text[0].lower()}{text[1:]}" if record.id in opened else text
        text = re.sub(r"\.", ", said Elara.", text, count=1) if record.id in named else text
        made.append(Record(id=record.id, text=text))
    before, after = (audit(Corpus("made", "documents", False, "", tuple(some))) for some in (clean, made))
    lines = [f"| {check.name} | {check.value:.3f} | | {said(check.passed)} |" for check in before.failed]
    old = {check.name: check for check in before.checks}
    shown = ("opener of four words", "known tic", "one name")
    for new in after.checks:
        if new.name in shown:
            was = old[new.name]
            lines.append(
                f"| {new.name} | {was.value:.3f} | {new.value:.3f} | {said(was.passed)}, then {said(new.passed)} |"
            )
    others = [check.name for check in after.failed if check.name not in shown]
    return [*lines, f"| all other checks | | | {', '.join(others) or 'passed'} |"]


def said(passed: bool | None) -> str:
    return {True: "passed", False: "failed", None: "reported"}[passed]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=2000)
    number = parser.parse_args().records
    for words in (500, 80):
        clean = records((short(text, words) for text in synthetic.texts(number)), "clean")
        mean = sum(len((record.text or "").split()) for record in clean) / number
        print(f"\n{number:,} clean records of {mean:.0f} words on average\n")
        print("| planted | check | number | recall |\n|---|---|---:|---:|")
        alarms = {}
        for plant in (duplicates, leaks, truncated):
            rows, false = plant(clean, random.Random(20261121))
            print("\n".join(row.shown() for row in rows))
            alarms[plant.__name__] = len(false)
        print(f"\nFalse alarms among the clean records: {', '.join(f'{n} {name}' for name, n in alarms.items())}.\n")
        print("| check | clean | planted | verdict |\n|---|---:|---:|---|")
        print("\n".join(habits(clean, random.Random(1))))


if __name__ == "__main__":
    main()
