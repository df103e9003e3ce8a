"""How numbers are written. Not known prints as MISSING, not applicable as NONE; neither is ever 0."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from teachwhy.analysis import Interval

T = TypeVar("T", int, float)

MISSING = "missing"
NONE = "—"

DECIMAL_FROM = 100
"""Rates over fewer samples are whole per cents: one sample more or less moves them by a per cent or more."""


def percent(share: float | None, n: int) -> str:
    """A share in per cent, "39.1 %"; what is neither none nor all never rounds to 0 or 100."""
    return MISSING if share is None else f"{_bare(share, n)} %"


def interval(ends: Interval | None, n: int) -> str:
    """An interval of a share in per cent, "[26.3, 53.5]"."""
    digits = _digits(n)
    return MISSING if ends is None else f"[{100 * ends.low:.{digits}f}, {100 * ends.high:.{digits}f}]"


def points(difference: float | None) -> str:
    """A difference of shares in percentage points, signed: "−12.3 points"."""
    return MISSING if difference is None else f"{signed(100 * difference)} points"


def points_interval(ends: Interval | None) -> str:
    """An interval of a difference in percentage points: "[−24.0, +4.2]"."""
    return MISSING if ends is None else f"[{signed(100 * ends.low)}, {signed(100 * ends.high)}]"


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign (a true minus); what rounds to zero has none."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{'−' if value < 0 else '+'}{text}"


def p_value(p: float | None) -> str:
    """ "p = 0.012", "p < 0.001"."""
    if p is None:
        return MISSING
    if p < 0.001:
        return "p < 0.001"
    return f"p = {min(p, 0.999 if p < 1 else 1):.{2 if p >= 0.1 else 3}f}"


def count(value: int | None) -> str:
    """A whole number with thousands: "12,345"."""
    return MISSING if value is None else f"{value:,}"


def decimal(value: float | None, digits: int = 2) -> str:
    """A plain number."""
    return MISSING if value is None else f"{value:,.{digits}f}"


def duration(seconds: float | None) -> str:
    """ "0.4 s", "3 min 12 s", "1 h 02 min"."""
    if seconds is None:
        return MISSING
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def measured(value: float | str | None) -> str:
    """A value or threshold of a check as it stands: up to four significant digits."""
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    return f"{int(value):,}" if float(value).is_integer() else f"{value:.4g}"


def spread(values: Sequence[T], say: Callable[[T], str]) -> list[str]:
    """One value where all agree, else the lowest and "to " the highest."""
    low, high = say(min(values)), say(max(values))
    return [low] if low == high else [low, f"to {high}"]


def seed(number: int | None) -> str:
    """A training seed; below 0 is a training that all arms share, or none."""
    return NONE if number is None or number < 0 else str(number)


def short(address: str) -> str:
    """The beginning of an address, enough to tell it from others."""
    return address[:12]


def of(part: int, whole: int, missing: int) -> str:
    """ "25 of 64, 0 missing"."""
    return f"{part:,} of {whole:,}, {missing:,} {MISSING}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """ "1 family", "8 families"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _digits(n: int) -> int:
    return 1 if n >= DECIMAL_FROM else 0


def _bare(share: float, n: int) -> str:
    text = f"{100 * share:.{_digits(n)}f}"
    if float(text) == 0 and share > 0:
        return "<0.1" if n >= DECIMAL_FROM else "<1"
    if float(text) == 100 and share < 1:
        return ">99.9" if n >= DECIMAL_FROM else ">99"
    return text
