"""The report of a run: made once it is finished, found again, made again from what the store holds."""

import json
from pathlib import Path

from teachwhy.errors import StudyError
from teachwhy.report.build import build_report
from teachwhy.report.gather import gather
from teachwhy.study.declaration import Study
from teachwhy.study.estimate import Cost
from teachwhy.study.generating import records_at
from teachwhy.study.plan import make_plan
from teachwhy.study.run import Finished, Opened, finish, read_manifest, results_address
from teachwhy.study.store import Store, write_json

_STAMP = "made-from.json"
_PAGE = "report.html"


def make_report(done: Finished) -> Path:
    """Write the report of a finished study and return its page."""
    folder = done.folder / "report"
    page = build_report(gather(done), folder)
    write_json(done.folder / _STAMP, {"results": results_address(done.plan)})
    return page


def finished_report(opened: Opened) -> Path | None:
    """The page, if the study is finished and its report was made from just these results."""
    stamp, page = opened.folder / _STAMP, opened.folder / "report" / _PAGE
    if opened.left or not stamp.exists() or not page.exists():
        return None
    return page if json.loads(stamp.read_text("utf-8"))["results"] == results_address(opened.plan) else None


def existing_report(folder: Path) -> Path:
    """The page of a run's folder.

    Raises:
        StudyError: there is none.
    """
    page = folder / "report" / _PAGE
    if not page.exists():
        raise StudyError("this folder has no report", where=folder, mend="name a run, such as runs/quickstart")
    return page.resolve()


def report_again(folder: Path) -> Path:
    """Make tables and report of a finished run again, from the store beside it.

    Raises:
        StudyError: the folder is not a run, or some of its results are not in the store any more.
    """
    if not (folder / "manifest.json").exists():
        raise StudyError("this folder is not a finished run", where=folder, mend="name one, such as runs/quickstart")
    store = Store(folder.resolve().parent / "store")
    said = read_manifest(folder)
    made = {name: records_at(store, facts["address"]) for name, facts in said.get("generated", {}).items()}
    plan = make_plan(Study.model_validate(said["study"]), made)
    costs = {n.address: Cost(0, 0.0, store.meta(n.kind, n.address) is not None) for n in plan.nodes}
    opened = Opened(plan, store, folder.resolve(), costs)
    if opened.left:
        mend = "run the study again: it makes what is missing"
        raise StudyError(f"{len(opened.left)} results are not in the store", where=opened.left[0].label, mend=mend)
    return make_report(finish(opened))
