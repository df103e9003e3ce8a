"""Every recipe against the embedded model over HTTP: what becomes of the rows when the generator is far too weak.

    python benchmarks/recipes_embedded.py [--rows 4] [--at-most 160] [--out FOLDER] [--only A,B] [--keep-form]

The model is served by the tests' OpenAI-compatible server on this machine. Replies are ended at ``--at-most`` tokens
and passed off as finished, so that the stages behind a long one are reached at all. With ``--keep-form`` the server
writes the tags that a prompt asks for, as guided decoding does, and a number is the likeliest one; its score
filters nothing then. A recipe that stops is reported with the stages that it reached and the error; nothing is retried
until it works.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "corpora" / "recipes"))

from embedded_endpoint import embedded_endpoint
from openai_server import serving

from teachwhy.corpora.recipes.build import build, prepare
from teachwhy.corpora.recipes.registry import RECIPES, find_recipe
from teachwhy.corpora.recipes.spec import Spec
from teachwhy.corpora.stages import Journal, StageCount
from teachwhy.errors import TeachwhyError

FROM = {"as-chat": {"corpus": "rogue-fiction"}, "context-diverse": {"corpus": "generic-chat"}}


def attempt(recipe: str, rows: int, out: Path, *, keep_all: bool) -> tuple[int, str, dict[str, StageCount], float]:
    """Records, the error if it stopped, the stages' last counts, and the seconds."""
    graded = keep_all and "at_least" in find_recipe(recipe).options.model_fields
    spec = Spec.model_validate(
        {
            "recipe": recipe,
            "count": rows,
            "models": {"writer": "openai-api/local/smollm2-135m"},
            "options": FROM.get(recipe, {}) | ({"at_least": 1} if graded else {}),
            "limits": {"failed": 0.99},
            "concurrency": rows,
            "timeout": 1800,
            "retries": 0,
        }
    )
    seen: dict[str, StageCount] = {}
    began = time.monotonic()
    try:
        made = build(prepare(spec), out, progress=lambda count, meter: seen.update({count.stage: count}))
        said, records = "", made.records
        seen = {stage.stage: seen.get(stage.stage, _counted(stage)) for stage in made.stages}
    except TeachwhyError as error:
        said, records = error.what.splitlines()[0], 0
    return records, said, seen, time.monotonic() - began


def _counted(stage: object) -> StageCount:
    names = ("stage", "taken", "passed", "dropped", "made")
    count = StageCount(**{name: getattr(stage, name) for name in names})
    count.failed = Counter(getattr(stage, "failed"))  # noqa: B009
    return count


def line(count: StageCount) -> str:
    """A stage in words."""
    failed = ", ".join(f"{number} {cause}" for cause, number in sorted(count.failed.items())) or "0"
    return f"{count.stage}: {count.taken} in, {count.passed} passed, {count.dropped} filtered out, {failed} failed"


def main() -> None:
    """Run all and print a Markdown table row for each."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--rows", type=int, default=4)
    ask.add_argument("--at-most", type=int, default=160)
    ask.add_argument("--out", type=Path)
    ask.add_argument("--only", default="")
    ask.add_argument("--threads", type=int, default=1)
    ask.add_argument("--keep-form", action="store_true", help="the server writes a form's tags")
    chosen = ask.parse_args()
    torch.set_num_threads(chosen.threads)
    out = chosen.out or Path(tempfile.mkdtemp(prefix="teachwhy-recipes-"))
    os.environ["LOCAL_API_KEY"] = "none"
    with serving(embedded_endpoint(at_most=chosen.at_most, end_there=True, keep_form=chosen.keep_form)) as endpoint:
        os.environ["LOCAL_BASE_URL"] = endpoint.url
        for name in chosen.only.split(",") if chosen.only else sorted(RECIPES):
            records, said, counts, seconds = attempt(name, chosen.rows, out / name, keep_all=chosen.keep_form)
            used = [use for path in (out / name / "stages").glob("*.jsonl") for use in Journal(path).spent.values()]
            asked, written = sum(use.calls for use in used), sum(use.tokens_out for use in used)
            stages = "<br>".join(line(count) for count in counts.values())
            print(f"| `{name}` | {records} | {stages} | {asked} | {written:,} | {seconds:.0f} s | {said} |", flush=True)
    print(json.dumps({"served": dict(endpoint.did), "out": str(out)}))


if __name__ == "__main__":
    main()
