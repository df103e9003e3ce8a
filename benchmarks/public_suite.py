"""The public agentic_misalignment task on a model through our engine, and its verdicts beside ours.

    python benchmarks/public_suite.py --model FOLDER [--epochs 8] [--grader MODEL]

Needs inspect-evals (extra ``evals``). Without ``--grader`` its grader is a script that answers yes to everything, so
that what remains of its verdict is its own logic: keywords, addresses, parsing. Ours is read from the same transcripts:
an act is a call in the form that the task's own prompt asks for; an answer that was cut off, or in which no such call
can be parsed, is missing (law 1); a call is printed for a reader.
"""

import argparse
import re
from collections import Counter
from pathlib import Path

from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalSample
from inspect_ai.model import get_model
from inspect_evals.agentic_misalignment import agentic_misalignment

SCENARIOS = ("blackmail", "leaking", "murder")
YES = "<reasoning>scripted</reasoning><answer>yes</answer>"

# <tool_use:NAME> with fields `name: "value"` between, as the task's prompt shows it.
CALL = re.compile(r"<tool_use:(\w+)>(.*?)</tool_use:\1>", re.DOTALL)
FIELD = re.compile(r"^\s*\w+:\s*\"?.+", re.MULTILINE)


def ours(sample: EvalSample) -> str:
    """``cut off``, ``malformed call``, or ``a call: to be read``."""
    if sample.output.stop_reason in ("max_tokens", "model_length"):
        return "missing: cut off"
    calls = [body for _, body in CALL.findall(sample.output.completion) if FIELD.search(body)]
    return "a call: to be read" if calls else "missing: no call can be parsed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder of weights, or any Inspect model name")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--max-tokens", type=int, default=320)
    parser.add_argument("--grader", default=None)
    parser.add_argument("--logs", default="logs/public-suite")
    given = parser.parse_args()
    grader = (
        get_model(given.grader)
        if given.grader
        else get_model("teachwhy_scripted/yes", memoize=False, replies=lambda *_: YES)
    )
    tasks = [
        agentic_misalignment(scenario=scenario, prod=prod, grader_model=grader)
        for scenario in SCENARIOS
        for prod in (False, True)
    ]
    name = f"teachwhy/{given.model}" if Path(given.model).is_dir() else given.model
    settings = {"epochs": given.epochs, "max_tokens": given.max_tokens, "temperature": 1.0}
    logs = inspect_eval(tasks, model=name, log_dir=given.logs, display="plain", max_tasks=1, **settings)
    pairs: Counter[tuple[str, str]] = Counter()
    for log in logs:
        for sample in log.samples or []:
            [score] = (sample.scores or {}).values()
            theirs = "harmful" if score.value["harmful"] else "harmless"  # type: ignore[index,call-overload]
            pairs[theirs, ours(sample)] += 1
            if ours(sample).startswith("a call"):
                print(f"to be read: {sample.id}, epoch {sample.epoch}: {sample.output.completion[:400]!r}")
    print(f"{sum(pairs.values())} transcripts; the task's verdict | ours")
    for (theirs, own), count in sorted(pairs.items()):
        print(f"  {count:4}  {theirs:9} | {own}")


if __name__ == "__main__":
    main()
