"""The analysis plan, locked by its hash before the first result is there to be seen."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from teachwhy.errors import LockedError
from teachwhy.hashing import digest
from teachwhy.study.declaration import Study
from teachwhy.study.store import write_json

FILE = "analysis-plan.json"


class Lock(BaseModel):
    """What was locked, its hash, and how many evaluation results of the study were there already."""

    model_config = ConfigDict(frozen=True)

    hash: str
    results_before: int
    plan: dict[str, object]


def lock_analysis(study: Study, folder: Path, results: int) -> Lock:
    """Lock the declared analysis, or check it against what was locked.

    What is locked: the comparisons and their level, the evaluations, the arms' names and the seeds.

    Args:
        results: evaluation results of this study in the store now.

    Raises:
        LockedError: results are there and the declaration is not the locked one any more.
    """
    said = {
        "analysis": study.analysis_plan().model_dump(mode="json"),
        "evals": study.evals.model_dump(mode="json"),
        "arms": list(study.arms),
        "seeds": list(study.seeds),
    }
    path = folder / FILE
    if path.exists():
        held = Lock.model_validate(json.loads(path.read_text("utf-8")))
        if held.hash == digest(said):
            return held
        if results:
            changed = [key for key in said if held.plan.get(key) != said[key]]
            raise LockedError(
                f"the study's {', '.join(changed)} changed after {results} results were there",
                where=path,
                mend="restore it, or give the changed study a new name (finished work is reused)",
            )
    lock = Lock(hash=digest(said), results_before=results, plan=said)
    write_json(path, lock.model_dump())
    return lock
