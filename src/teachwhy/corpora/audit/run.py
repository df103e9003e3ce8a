"""Running an audit: batches of records through all measures, in one process or in several."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from teachwhy.constitution import load
from teachwhy.corpora.audit.cards import Cards
from teachwhy.corpora.audit.content import Talk
from teachwhy.corpora.audit.duplicates import Copies, common_words
from teachwhy.corpora.audit.habits import Edges, Lengths, Marks, Names, Sample, Tics
from teachwhy.corpora.audit.language import Soundness
from teachwhy.corpora.audit.leaks import Asked, Leaks
from teachwhy.corpora.audit.result import RULES, Audit, Check, known_checks
from teachwhy.corpora.audit.view import About, Measure, View
from teachwhy.corpora.authored import authored_names, card
from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.decks import Deck, deck_names, shipped_deck
from teachwhy.corpora.records import Record, parse_lines
from teachwhy.errors import CorpusError

# Records on which phrases and diversity are measured: a share of 10 % is then known to within 0.8 points (95 %).
SAMPLE = 5_000
_BATCH = 500
# Batches that wait for each process: enough that none is idle, few enough that a corpus is never held whole.
_AHEAD = 3

Tick = Callable[[int], object]


def audit(corpus: Corpus, *, skip: Collection[str] = (), asked: Asked | None = None) -> Audit:
    """Measure a corpus that is at hand.

    Args:
        skip: names of checks to leave out.
        asked: what the evaluations ask; without it nothing is held against them.

    Raises:
        CorpusError: a name in ``skip`` is no check.
    """
    skipped = known_checks(skip)
    records = corpus.records
    about = _about(corpus.name, records[0], len(records), records[:SAMPLE], dealt=corpus.dealt)
    made = _measures(about, asked, skipped)
    for start in range(0, len(records), _BATCH):
        _see(made, [View(record) for record in records[start : start + _BATCH]])
    return _audited(about, made, skipped)


def audit_file(
    path: Path,
    *,
    skip: Collection[str] = (),
    asked: Asked | None = None,
    workers: int = 1,
    tick: Tick = lambda done: None,
) -> Audit:
    """Measure a file of records without holding it: about 1.5 kB are kept of each.

    Args:
        skip, asked: as in ``audit``.
        workers: processes; the result is the same with any number.
        tick: told the number of records seen.

    Raises:
        CorpusError: a name in ``skip`` is no check, or a malformed file.
    """
    skipped = known_checks(skip)
    number = count_records(path)
    first = list(parse_lines(path, islice(_lines(path), SAMPLE)))
    about = _about(str(path), first[0], number, first)
    made: list[Measure] = []
    done = 0
    for part in _parts(path, about, asked, skipped, workers):
        if made:
            for mine, later in zip(made, part, strict=True):
                mine.merge(later)
        else:
            made = part
        done = min(done + _BATCH, number)
        tick(done)
    return _audited(about, made, skipped, where=path)


def count_records(path: Path) -> int:
    """Lines of a corpus file.

    Raises:
        CorpusError: there is no such file, or it is empty.
    """
    if not path.is_file():
        raise CorpusError("there is no such corpus file", where=path)
    with path.open("rb") as file:
        number = sum(1 for _ in file)
    if not number:
        raise CorpusError("the corpus has no records", where=path)
    return number


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        yield from enumerate(file, start=1)


def _parts(
    path: Path, about: About, asked: Asked | None, skipped: frozenset[str], workers: int
) -> Iterator[list[Measure]]:
    """The measures of each batch, in the order of the file."""
    lines = _lines(path)
    batches = iter(lambda: list(islice(lines, _BATCH)), [])
    if workers <= 1:
        _prepare(path, about, asked, skipped)
        yield from map(_part, batches)
        return
    # Forked processes would inherit threads of whatever library was used before.
    with ProcessPoolExecutor(workers, get_context("spawn"), _prepare, (path, about, asked, skipped)) as pool:
        waiting: deque[Future[list[Measure]]] = deque()
        for batch in batches:
            waiting.append(pool.submit(_part, batch))
            if len(waiting) > _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_given: tuple[Path, About, Asked | None, frozenset[str]]


def _prepare(path: Path, about: About, asked: Asked | None, skipped: frozenset[str]) -> None:
    global _given
    _given = path, about, asked, skipped


def _part(batch: list[tuple[int, bytes]]) -> list[Measure]:
    path, about, asked, skipped = _given
    made = _measures(about, asked, skipped)
    _see(made, [View(record) for record in parse_lines(path, batch)])
    return made


def _see(made: list[Measure], batch: list[View]) -> None:
    for measure in made:
        measure.see(batch)


def _measures(about: About, asked: Asked | None, skipped: frozenset[str]) -> list[Measure]:
    """One of each measure of which some check is wanted; lengths and the firewall's rules are always measured."""
    made: list[Measure] = [Copies(about), Edges(), Sample(about), Tics(), Marks(), Names(), Cards(about), Talk(about)]
    wanted = [one for one in [*made, Soundness()] if not set(one.names) <= skipped]
    return [Lengths(), *wanted, *([Leaks(asked)] if asked else [])]


def _about(name: str, first: Record, number: int, sample: Sequence[Record], *, dealt: bool = False) -> About:
    """What is known of a corpus by its name, or by ``meta.corpus`` of its first record."""
    origin = str(first.meta.get("corpus", name))
    known = card(origin).meta if origin in authored_names() else None
    deck: Deck | None = shipped_deck(origin) if origin in deck_names() else None
    return About(
        name=name,
        dealt=dealt,
        subject=known.about if known else None,
        reasoning=known.reasoning if known else False,
        deck=deck,
        sections=load().ids,
        rate=min(1.0, SAMPLE / number),
        common=common_words([View(record) for record in sample]),
    )


def _audited(about: About, made: list[Measure], skipped: frozenset[str], *, where: Path | None = None) -> Audit:
    lengths = made[0]
    assert isinstance(lengths, Lengths)
    copies = next((one for one in made if isinstance(one, Copies)), None)
    if copies and where:
        _check_ids(copies.ids, where)
    checks = [check for one in made for check in one.checks(lengths.number)]
    order = {name: at for at, name in enumerate(RULES)}
    kept = sorted((check for check in checks if check.name not in skipped), key=lambda check: order[check.name])
    sample = next((one for one in made if isinstance(one, Sample)), None)
    return Audit(
        corpus=about.name,
        records=lengths.number,
        words=lengths.words,
        checks=[_reported(check) if about.dealt else check for check in kept],
        sampled=len(sample.kept) if sample else 0,
        dealt=about.dealt,
        skipped=sorted(skipped, key=order.__getitem__),
        coverage=[row for one in made if isinstance(one, Cards) for row in one.covered()],
        breaches=[breach for one in made if isinstance(one, Leaks) for breach in one.breaches],
    )


# What is judged of corpora dealt from templates: the rest is likeness by design.
_ALWAYS = frozenset(["exact duplicates", "evaluation overlap"])


def _reported(check: Check) -> Check:
    return check if check.name in _ALWAYS else check.model_copy(update={"passed": None})


def _check_ids(ids: Iterable[str], where: Path) -> None:
    seen: dict[str, int] = {}
    for number, name in enumerate(ids, start=1):
        if name in seen:
            raise CorpusError(f"two records have the id '{name}'", where=f"{where}, lines {seen[name]}, {number}")
        seen[name] = number
