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
from typing import Any

import yaml

from teachwhy.errors import CorpusError, TextError, nearest
from teachwhy.hashing import digest, seed_of
from teachwhy.texts import read_utf8

Card = dict[str, str]

# Languages whose names are written in Latin letters, from all over; the widest pool is in no single one of them.
_LOCALES = (
    *("az_AZ", "bs_BA", "cs_CZ", "da_DK", "de_DE", "en_BD", "en_GB", "en_IN", "en_KE", "en_NG", "en_NZ", "en_PK"),
    *("en_TH", "en_US", "es_AR", "es_ES", "es_MX", "et_EE", "fi_FI", "fr_DZ", "fr_FR", "ga_IE", "ha_NG", "hr_HR"),
    *("hu_HU", "id_ID", "ig_NG", "is_IS", "it_IT", "lt_LT", "lv_LV", "mt_MT", "nl_NL", "no_NO", "pl_PL", "pt_BR"),
    *("pt_PT", "ro_RO", "sk_SK", "sl_SI", "sq_AL", "sv_SE", "sw", "tl_PH", "tr_TR", "tw_GH", "vi_VN", "yo_NG", "zu_ZA"),
)


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
    except yaml.YAMLError as error:
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


def name_pool(count: int, *, seed: int = 0) -> list[str]:
    """Different first and last names from many languages, no first name twice, an equal share of each language.

    Args:
        count: how many; at most some five thousand.
        seed: same seed, same names.
    """
    from faker import Faker

    fakers = {locale: Faker(locale) for locale in _LOCALES}
    order = list(_LOCALES)
    random.Random(seed_of("locales", seed)).shuffle(order)
    for number, locale in enumerate(order):
        fakers[locale].seed_instance(seed_of("names", locale, seed, number))
    names: dict[str, str] = {}
    for number in range(count * 40):
        if len(names) == count:
            break
        maker = fakers[order[number % len(order)]]
        first = maker.first_name()
        if first.isalpha():
            names.setdefault(first, f"{first} {maker.last_name()}")
    return list(names.values())
