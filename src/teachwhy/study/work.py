"""Doing one node of a plan: teaching a model, or measuring one."""

import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from teachwhy.errors import StoreError, TeachwhyError
from teachwhy.models.reach import PATIENCE, RETRIES, is_endpoint
from teachwhy.models.registry import find_model
from teachwhy.study.declaration import BASE
from teachwhy.study.plan import UNTRAINED, Model, Node, StudyPlan
from teachwhy.study.store import Store, write_rows

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

Tick = Callable[[int, int, float], None]
"""Told how far a node is: done, of how many, and the loss or 0. Tokens for training, samples for measuring."""


def perform(node: Node, plan: StudyPlan, store: Store, tick: Tick) -> dict[str, Any]:
    """Make the node's artifact if it is not there, and return its record.

    Another run on the same store that makes the same artifact is waited for.
    """
    with store.lock(node.kind, node.address):
        if found := store.meta(node.kind, node.address):
            return found
        {"train": _train, "eval": _evaluate, "suite": _evaluate}[node.kind](node, plan, store, tick)
        made = store.meta(node.kind, node.address)
        if made is None:
            raise StoreError("the artifact vanished while it was made", where=store.path(node.kind, node.address))
        return made


def model_folder(model: Model, plan: StudyPlan, store: Store) -> Path:
    """The weights of a measured model: the base's own folder, or what was taught into the store."""
    if model.arm != BASE:
        return store.path("train", model.address)
    assert plan.base.folder is not None
    return plan.base.folder


def _served(model: Model, plan: StudyPlan, store: Store) -> str:
    """The model's name for Inspect."""
    if model.arm == BASE:
        return plan.base.inspect_name
    return f"teachwhy/{model_folder(model, plan, store)}"


def _train(node: Node, plan: StudyPlan, store: Store, tick: Tick) -> None:
    from teachwhy.training.sft import train

    assert node.parent is not None
    began = time.monotonic()
    out = store.path("train", node.address)
    seed = plan.study.seeds[0] if node.model.seed == UNTRAINED else node.model.seed
    ledgers = train(model_folder(node.parent, plan, store), node.stages, out, node.settings, seed, tick)
    tokens = sum(ledger.tokens_read for ledger in ledgers)
    store.seal("train", node.address, _meta(node, began, {"tokens": tokens}))


def _evaluate(node: Node, plan: StudyPlan, store: Store, tick: Tick) -> None:
    began = time.monotonic()
    task, to_rows = _task(node, plan)
    with tempfile.TemporaryDirectory(prefix="teachwhy-log-") as folder:
        log, path = run_inspect(
            task,
            _served(node.model, plan, store),
            Path(folder),
            node.answers,
            roles=plan.study.roles,
            tags=[node.model.label],
            through=lambda count: tick(min(count, node.answers), node.answers, 0.0),
        )
        rows = to_rows(log)
        answers = len({row["sample_id"] for row in rows})
        if answers != node.answers:
            raise TeachwhyError(f"{answers} of {node.answers} answers came back", where=node.label)
        _refuse_outage(rows, node)
        meta = _meta(node, began, {"samples": answers, "tokens": _tokens(rows), "usage": _usage(log)})
        with store.making(node.kind, node.address, meta) as made:
            write_rows(made / "rows.jsonl", rows)
            (made / "log.eval").write_bytes(path.read_bytes())


def _task(node: Node, plan: StudyPlan) -> tuple[Any, Callable[["EvalLog"], list[Any]]]:
    """The Inspect task of a measurement, and what makes rows of its log."""
    from teachwhy.evals.honeypots.task import honeypot_task
    from teachwhy.evals.registry import find_suite
    from teachwhy.evals.rows import honeypot_rows

    if node.kind == "eval":
        task = honeypot_task(
            node.conditions,
            name=node.suite,
            temperature=node.temperature,
            max_tokens=node.max_tokens,
            repeats=node.repeats,
            graders=node.graders,
        )
        return task, honeypot_rows
    suite = find_suite(node.suite)
    return suite.task(plan.study.evals.suites[node.suite], node.ids), suite.rows


def _tokens(rows: list[dict[str, Any]]) -> int:
    """Tokens written, each sample counted once."""
    return sum({row["sample_id"]: row.get("tokens", 0) for row in rows}.values())


def _usage(log: "EvalLog") -> dict[str, dict[str, int]]:
    """Tokens that each model read and wrote in a run, by Inspect's name: the measured one, a judge, an auditor."""
    return {name: {"read": u.input_tokens, "wrote": u.output_tokens} for name, u in log.stats.model_usage.items()}


# Above this share of failed samples it is an outage, to be waited out and asked again, and not attrition.
_OUTAGE = 0.1


def _refuse_outage(rows: list[dict[str, Any]], node: Node) -> None:
    failed = {row["sample_id"]: row for row in rows if _is_failure(row["missing"])}
    answers = {row["sample_id"] for row in rows}
    if len(failed) > _OUTAGE * len(answers):
        first = next(iter(failed.values()))
        raise TeachwhyError(
            f"{len(failed)} of {len(answers)} samples failed: {first['missing']}, {first.get('reason', '')}",
            where=node.label,
            mend="mend the cause and run the study again: nothing of this step was kept",
        )


def _is_failure(cause: str | None) -> bool:
    """Did an endpoint, a judge or an auditor fail, rather than the model under study?"""
    return cause is not None and (cause == "error" or cause.startswith(("judge ", "auditor ")))


def run_inspect(
    task: Any,
    model: str,
    folder: Path,
    samples: int,
    roles: Mapping[str, str] | None = None,
    tags: Sequence[str] = (),
    through: Callable[[int], None] | None = None,
) -> tuple["EvalLog", Path]:
    """Run a task in Inspect, quietly, all samples at once, and return its log and where it lies.

    Args:
        tags: for the viewer's list; neither the model nor a judge sees them.
        through: told after each sample how many are through.

    Raises:
        TeachwhyError: the run as a whole failed (single samples may fail: they are missing).
    """
    from inspect_ai import eval as inspect_eval

    from teachwhy.evals.replies import why_failed

    if through:
        task.cleanup = _counted(task.cleanup, through)
    logs = inspect_eval(
        task,
        model=model,
        model_roles={role: find_model(name).inspect_name for role, name in (roles or {}).items()},
        tags=list(tags),
        log_dir=str(folder),
        display="none",
        max_samples=samples,
        max_connections=samples,
        max_retries=RETRIES,  # Inspect's own way is to wait for ever
        attempt_timeout=PATIENCE if is_endpoint(find_model(model)) else None,
        log_level="error",
        score_display=False,
    )
    if not logs or logs[0].status == "cancelled":
        raise KeyboardInterrupt  # Inspect keeps a Ctrl-C to itself
    log = logs[0]
    if log.status != "success":
        why = why_failed(log.error) if log.error else log.status
        raise TeachwhyError(f"the evaluation did not finish: {why}", where=f"{task.name}, {model}")
    return log, Path(log.location.removeprefix("file://"))


def _counted(cleanup: Any, through: Callable[[int], None]) -> Callable[[Any], Awaitable[None]]:
    """A task's own cleanup, which Inspect awaits after every sample, counting them besides."""
    count = 0

    async def counted(state: Any) -> None:
        nonlocal count
        if cleanup:
            await cleanup(state)
        count += 1
        through(count)

    return counted


def _meta(node: Node, began: float, more: dict[str, Any]) -> dict[str, Any]:
    seconds = round(time.monotonic() - began, 2)
    return {"kind": node.kind, "label": node.label, "inputs": list(node.inputs), "seconds": seconds} | more
