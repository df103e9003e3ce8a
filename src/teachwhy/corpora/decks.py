"""Decks: declared variables from which the cards of a corpus are dealt, so that no writer drifts to the mean.

A deck is a YAML file: every variable has values, alike in weight (a list) or with weights that sum to 1 (a mapping).
Values are dealt without replacement: in any number of cards each value comes as often as its weight says, to one card.
"""

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from teachwhy.errors import CorpusError, TextError, nearest
from teachwhy.hashing import digest, seed_of
from teachwhy.texts import read_utf8

if TYPE_CHECKING:
    from faker import Faker

Card = dict[str, str]


@dataclass(frozen=True)
class Deck:
    """The variables of a corpus: to each its values and their shares (which sum to 1)."""

    name: str
    variables: dict[str, dict[str, float]]

    @property
    def address(self) -> str:
        """Content hash of its variables."""
        return digest([self.name, self.variables])

    def check(self, card: Mapping[str, str], *, where: object = None, also: Iterable[str] = ()) -> None:
        """Raises TextError if a card has an unknown variable (``also``: other keys at that place, for the mend) or a
        value that the deck does not hold."""
        for variable, value in card.items():
            if variable not in self.variables:
                mend = nearest(variable, [*self.variables, *also])
                raise TextError(f"unknown key '{variable}'", where=where, mend=mend)
            if value not in self.variables[variable]:
                what = f"{value!r} is not in the deck '{self.name}' under '{variable}'"
                raise TextError(what, where=where, mend=nearest(str(value), self.variables[variable]))


@dataclass(frozen=True)
class Coverage:
    """How often one value of a deck came, against how often it should.

    Attributes:
        wanted: its share in the deck.
        found: its share among the cards that have the variable.
        count: cards with this value.
    """

    variable: str
    value: str
    wanted: float
    found: float
    count: int


def deck_names() -> list[str]:
    """Names of the decks that ship."""
    return sorted(path.stem for path in _root().glob("*.yaml"))


def _root() -> Path:
    return Path(str(resources.files("teachwhy.corpora"))) / "decks"


@cache
def shipped_deck(name: str) -> Deck:
    """The deck of a shipped corpus. CorpusError: there is none of this name."""
    if name not in deck_names():
        raise CorpusError(f"there is no deck '{name}'", mend=nearest(name, deck_names()))
    return load_deck(_root() / f"{name}.yaml")


def load_deck(path: Path) -> Deck:
    """Read a deck.

    Raises:
        CorpusError: it is not YAML, a variable has no values, or its weights do not sum to 1.
    """
    try:
        raw = yaml.safe_load(read_utf8(path))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        raise CorpusError(f"the deck is not YAML: {error}", where=path) from None
    if not isinstance(raw, dict) or not raw:
        raise CorpusError("a deck maps variables to their values", where=path, mend="write 'sector: [farm, school]'")
    return Deck(path.stem, {str(key): _shares(values, f"{path}, {key}") for key, values in raw.items()})


def _shares(values: Any, where: str) -> dict[str, float]:
    if isinstance(values, list) and values:
        _check_words(values, where)
        return {value: 1 / len(values) for value in values}
    if not isinstance(values, dict) or not values:
        mend = "write a list (all alike in weight) or a mapping of values to weights"
        raise CorpusError("the variable has no values", where=where, mend=mend)
    _check_words(list(values), where)
    if wrong := [value for value, weight in values.items() if not isinstance(weight, int | float) or weight <= 0]:
        raise CorpusError(f"the weight of '{wrong[0]}' is not a number above 0", where=where)
    if abs(math.fsum(values.values()) - 1) > 0.005:
        what = f"the weights sum to {math.fsum(values.values()):.3f}, not to 1"
        raise CorpusError(what, where=where, mend="change them, or give a list if all should be alike")
    return {value: weight / math.fsum(values.values()) for value, weight in values.items()}


def _check_words(values: Sequence[Any], where: str) -> None:
    if wrong := [value for value in values if not isinstance(value, str)]:
        raise CorpusError(f"the value {wrong[0]!r} is not text", where=where, mend="put yes, no and numbers in quotes")
    if twice := [value for value, count in Counter(values).items() if count > 1]:
        raise CorpusError(f"the value '{twice[0]}' stands twice", where=where)


def deal(deck: Deck, count: int, *, seed: int = 0) -> list[Card]:
    """Deal cards: each value as often as its share says, in an order that the seed decides for each variable."""
    columns = {key: _column(deck, key, count, seed) for key in deck.variables}
    return [{key: column[n] for key, column in columns.items()} for n in range(count)]


def _column(deck: Deck, variable: str, count: int, seed: int) -> list[str]:
    """The values of one variable: whole parts of share times count first, the rest to the largest remainders."""
    pick = random.Random(seed_of("deck", deck.address, variable, seed))
    shares = list(deck.variables[variable].items())
    pick.shuffle(shares)  # so that with few cards not always the same values are left out
    whole = {value: int(share * count + 1e-9) for value, share in shares}
    rest = sorted(shares, key=lambda item: whole[item[0]] - item[1] * count)
    extra = [value for value, _ in rest[: count - sum(whole.values())]]
    column = [value for value, times in whole.items() for _ in range(times)] + extra
    pick.shuffle(column)
    return column


def coverage(deck: Deck, cards: Sequence[Mapping[str, Any]]) -> list[Coverage]:
    """Every value of the deck against the cards; cards without a variable do not count for it."""
    found = []
    for variable, shares in deck.variables.items():
        met = Counter(card[variable] for card in cards if variable in card)
        total = max(met.total(), 1)
        found += [Coverage(variable, value, share, met[value] / total, met[value]) for value, share in shares.items()]
    return found


def names_for(places: Sequence[str], *, seed: int = 0) -> list[str]:
    """A first and a last name for each place, as people there are called, with no first name twice while they last.

    Args:
        places: where each person lives, in the words of the shipped decks; any other text means anywhere.
        seed: same places and seed, same names.
    """
    locales = _locales()
    anywhere = sorted({locale for each in locales.values() for locale in each})
    makers = {locale: _maker(locale, seed) for locale in anywhere}
    turns = {place: _shuffled(locales.get(place, anywhere), place, seed) for place in dict.fromkeys(places)}
    met: Counter[str] = Counter()
    taken: set[str] = set()
    names = []
    for place in places:
        lap, turn = divmod(met[place], len(turns[place]))
        met[place] += 1
        names.append(_new_name(makers[turns[place][turn]], taken, female=(lap + turn) % 2 == 0))
    return names


def _locales() -> dict[str, list[str]]:
    found: dict[str, list[str]] = yaml.safe_load(read_utf8(_root().with_name("names.yaml")))
    return found


def _shuffled(locales: Sequence[str], place: str, seed: int) -> list[str]:
    return random.Random(seed_of("locales", place, seed)).sample(locales, len(locales))


def _maker(locale: str, seed: int) -> "Faker":
    from faker import Faker

    maker = Faker(locale)
    maker.seed_instance(seed_of("names", locale, seed))
    return maker


def _new_name(maker: "Faker", taken: set[str], *, female: bool) -> str:
    """A name whose first name was not taken yet; after many attempts in vain, one that may repeat it."""
    for _ in range(_ATTEMPTS):
        first, last = _name(maker, female=female)
        if first not in taken and first.isalpha():
            break
    taken.add(first)
    return f"{first} {last}"


def _name(maker: "Faker", *, female: bool) -> tuple[str, str]:
    if hasattr(maker, "first_romanized_name"):
        return maker.first_romanized_name(), maker.last_romanized_name()
    if female:
        return maker.first_name_female(), maker.last_name_female()
    return maker.first_name_male(), maker.last_name_male()


_ATTEMPTS = 100
