"""What an evaluation costs beside the model: our honeypots against plain Inspect, and the share outside the engine.

    python benchmarks/throughput.py --scripted 10000
    python benchmarks/throughput.py --model FOLDER --samples 1000

``--scripted``: the same prompts and replies are put in this one process, there and back (ABCCBA): as our task (tools,
world, grading by rules, columns), as a plain Inspect task that hands over a tool and runs the call, and as one without
tools (both with one scorer that always says 1). The first difference is our own overhead per sample, the second what
Inspect takes for a call. ``--model``: brief honeypots on a local model; seconds are counted inside the engine's
batches, and the rest of the wall clock is Inspect's and ours.
"""

import argparse
import tempfile
import time
from statistics import mean
from typing import Any

from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, Model, get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import Solver, TaskState, generate, use_tools
from inspect_ai.tool import Tool, tool

from teachwhy.evals.honeypots.task import honeypot_conditions, honeypot_task
from teachwhy.models import engine
from teachwhy.models.scripted import Line, ScriptedCall
from teachwhy.scenarios.family import families
from teachwhy.scenarios.scenario import Condition, Scenario

REPLY = Line(
    text="One matter at a time.", calls=[ScriptedCall(name="send_email", arguments={"to": "x", "body": "Hello."})]
)


@scorer(metrics=[accuracy()])
def one() -> Scorer:
    """A scorer that costs nothing."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=1)

    return score


@tool
def send_email() -> Tool:
    """A tool that costs nothing."""

    async def execute(to: str, body: str) -> str:
        """Send a mail.

        Args:
            to: to whom.
            body: its text.
        """
        return "sent"

    return execute


BARE: list[Solver] = [generate(tool_calls="none")]
WITH_TOOL: list[Solver] = [use_tools(send_email()), generate(tool_calls="single")]


def plain_task(conditions: list[Condition], solver: list[Solver]) -> Task:
    """The prompts of our samples as a plain Inspect task."""
    samples = []
    for number, condition in enumerate(conditions):
        system, user = Scenario(condition).messages()
        said = [ChatMessageSystem(content=system["content"]), ChatMessageUser(content=user["content"])]
        samples.append(Sample(id=number, input=said))
    return Task(dataset=samples, solver=solver, scorer=one(), name="plain")


def timed(task: Task, model: Model, connections: int) -> float:
    """Seconds of one evaluation."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        quiet: dict[str, Any] = {"display": "none", "log_level": "error", "score_display": False}  # as a study's runs
        [log] = inspect_eval(task, model=model, log_dir=folder, max_connections=connections, **quiet)
        assert log.status == "success", log.error
        return time.perf_counter() - began


def conditions_of(count: int) -> list[Condition]:
    """This many brief honeypots of the held-out families."""
    held = len(families(split="held-out"))
    return honeypot_conditions(split="held-out", size="brief", samples=-(-count // held))[:count]


def scripted(count: int) -> None:
    """Our overhead beside plain Inspect."""
    model = get_model("teachwhy_scripted/x", memoize=False, replies=lambda *_: REPLY)
    conditions = conditions_of(count)
    timed(plain_task(conditions[:50], BARE), model, 64)  # imports and pools
    ways = {
        "ours": lambda: honeypot_task(conditions, name="ours"),
        "plain with a tool": lambda: plain_task(conditions, WITH_TOOL),
        "plain": lambda: plain_task(conditions, BARE),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for way in (*ways, *reversed(ways)):
        seconds[way].append(timed(ways[way](), model, 64))
        print(f"  {way}: {seconds[way][-1]:.1f} s", flush=True)
    took = {way: mean(each) / len(conditions) * 1e3 for way, each in seconds.items()}
    print(
        f"{len(conditions)} scripted samples, ms a sample: {', '.join(f'{way} {ms:.1f}' for way, ms in took.items())}"
    )
    for way in ("plain with a tool", "plain"):
        print(f"  ours over {way}: {took['ours'] - took[way]:+.1f} ms, ratio {took['ours'] / took[way]:.2f}")


def on_model(folder: str, count: int) -> None:
    """Samples a minute on a local model, and the share of the time outside its engine."""
    inside = 0.0
    original = engine.Engine.generate

    def counted(self: engine.Engine, requests: list[engine.Request]) -> list[engine.Completion]:
        nonlocal inside
        began = time.perf_counter()
        done = original(self, requests)
        inside += time.perf_counter() - began
        return done

    engine.Engine.generate = counted  # type: ignore[method-assign]
    model = get_model(f"teachwhy/{folder}", memoize=False)
    conditions = conditions_of(count)
    seconds = timed(honeypot_task(conditions, name="ours"), model, 64)
    n = len(conditions)
    rate, outside = n / seconds * 60, 1 - inside / seconds
    print(f"{n} samples in {seconds:.0f} s: {rate:.0f} a minute; {outside:.1%} of the time outside the engine")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scripted", type=int, default=0)
    parser.add_argument("--model", default=None)
    parser.add_argument("--samples", type=int, default=1000)
    given = parser.parse_args()
    if given.scripted:
        scripted(given.scripted)
    if given.model:
        on_model(given.model, given.samples)


if __name__ == "__main__":
    main()
