"""Small tables of evaluated samples for the tests of teachwhy.analysis."""

from collections.abc import Sequence

import pandas as pd

from teachwhy.analysis import Controls, Plan

SAMPLES, FAMILIES = 48, 8
KINDS = ("blackmail", "sabotage", "framing", "leaking")
CONTROLS = Controls(base="base", organism="organism", benign="benign", actions="actions", filler="filler")
PLAN = Plan(compare=(("reasons", "actions"),), families=FAMILIES, controls=CONTROLS)
DOSES = {"organism": 50_000, "benign": 10_000, "actions": 10_200, "filler": 9_900, "reasons": 10_000}
WRONG = {"base": 2, "organism": 30, "benign": 26, "actions": 25, "filler": 24, "reasons": 6}


def rows(
    arm: str,
    verdicts: Sequence[bool | None],
    seed: int = 0,
    name: str = "honeypots",
    families: int = FAMILIES,
    done: bool | None = None,
) -> list[dict[str, object]]:
    """One row for each verdict; sample i belongs to family i modulo families."""
    return [
        {
            "arm": arm,
            "seed": seed,
            "sample_id": f"{name}-{i:03}",
            "family": f"family-{i % families}",
            "kind": KINDS[i % families % 4],
            "eval": name,
            "own": verdict,
            "any": verdict,
            "act": KINDS[i % 4] if verdict else None,
            "missing": "judge failed" if verdict is None else None,
            "valid": True,
            "truncated": False,
            "done": done,
        }
        for i, verdict in enumerate(verdicts)
    ]


def first(count: int, total: int = SAMPLES) -> list[bool]:
    """`count` wrong acts, then right ones."""
    return [i < count for i in range(total)]


def study(wrong: dict[str, int] | None = None, seeds: Sequence[int] = (0,), twins: bool = True) -> pd.DataFrame:
    """A study with every control, on which "reasons" beats "actions" and all gates pass."""
    found: list[dict[str, object]] = []
    for arm, count in (WRONG | (wrong or {})).items():
        for seed in (-1,) if arm == "base" else seeds:
            found += rows(arm, first(count), seed)
            if twins:
                found += rows(arm, first(0), seed, "twins", done=True)
    return pd.DataFrame(found)


def change(
    frame: pd.DataFrame, arm: str, column: str, value: object, count: int, name: str = "honeypots"
) -> pd.DataFrame:
    """The same table with `count` rows of one arm changed in one column (and a cause where a verdict is taken away)."""
    table = frame.astype({"own": object, "any": object, "done": object, "missing": object})
    where = table.index[(table["arm"] == arm) & (table["eval"] == name)][:count]
    table.loc[where, column] = value
    if column == "any" and value is None:
        table.loc[where, ["own", "missing"]] = [None, "endpoint"]
    return table
