"""Do datasets, axolotl and LLaMA-Factory read a corpus's folder as it is meant, with their own loaders?

    python benchmarks/formats.py prepare OUT [--model FOLDER]      # where teachwhy is installed
    OTHER/bin/python benchmarks/formats.py check OUT               # where the others are; teachwhy is not asked for

These packages pin versions that teachwhy does not live with, hence two steps and two environments. ``prepare`` writes
the folders of some corpora, and beside each the tokens and labels with which teachwhy trains a model on it. ``check``
runs the lines of each folder's card through whichever of the packages it finds, says which it does not, and compares:
with the records as Python's own ``json`` reads them, and with teachwhy's tokens. It ends with 1 if anything differs.
"""

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CORPORA = ("difficult-advice", "agent-basics", "honeypots/reasons", "documents")
# Harmlessness among tools that are never needed: a recipe of code alone.
AMONG_TOOLS = {"recipe": "context-diverse", "count": 126, "options": {"corpus": "harmlessness"}}
MASKED = -100
JSON_SINCE = (4, 8)  # datasets with a feature for JSON of any shape
EDGES = Path(__file__).with_name("formats_edges.jsonl")  # records that are easily misread
LENGTH = 8192  # longer than any record, so that nothing is cut

Row = dict[str, Any]
Outcome = tuple[str, str, int, dict[str, int]]
"""A configuration, the corpus, its records, and in how many of them each thing was as it should be."""


# ----------------------------------------------------------------------------------------------------- prepare


def prepare(out: Path, model: Path | None) -> None:
    """Write the folders, and ``tokens.jsonl`` in each."""
    from teachwhy.corpora.publish import build_corpus
    from teachwhy.corpora.recipes.build import build
    from teachwhy.corpora.recipes.build import prepare as job_of
    from teachwhy.corpora.recipes.spec import Spec
    from teachwhy.corpora.records import read_jsonl
    from teachwhy.models.embedded import ensure_embedded
    from teachwhy.training.render import render_chat, render_document, served

    known = served(model or ensure_embedded())
    for name in CORPORA:
        build_corpus(name, out / name.replace("/", "-"))
    build_corpus(str(EDGES), out / "edges")
    build(job_of(Spec.model_validate(AMONG_TOOLS)), out / "context-diverse")
    for folder in folders(out):
        with (folder / "tokens.jsonl").open("w") as file:
            for record in read_jsonl(folder / "records.jsonl"):
                if record.text is None:
                    example = render_chat(record, known, corpus=folder.name)
                else:
                    [example] = render_document(record, known, corpus=folder.name, max_length=LENGTH)
                file.write(json.dumps({"input_ids": example.input_ids, "labels": example.labels}) + "\n")
    (out / "model.txt").write_text(str((model or ensure_embedded()).resolve()))
    print(f"{out}: {', '.join(folder.name for folder in folders(out))}")


def folders(out: Path) -> list[Path]:
    return sorted(path.parent for path in out.glob("*/dataset_info.json"))


# ------------------------------------------------------------------------------------------------------- check


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def blocks(folder: Path) -> list[Row]:
    """The configurations on a folder's card, as a user copies them."""
    import yaml

    card = (folder / "README.md").read_text("utf-8").split("## In trainers")[1].split("## Lineage")[0]
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", card, re.DOTALL)]


def count(pairs: Iterator[tuple[Any, Any]], what: str) -> int:
    """How many pairs are equal, the order of keys included; the first that is not is shown."""
    same, shown = 0, False
    for number, (found, meant) in enumerate(pairs):
        if json.dumps(found) == json.dumps(meant):
            same += 1
        elif not shown:
            shown = True
            print(f"  {what}, record {number}:\n    found {str(found)[-600:]!r}\n    meant {str(meant)[-600:]!r}")
    return same


def taught(tokenizer: Any, row: Row) -> str:
    """What of a row reaches the loss, as text."""
    return str(tokenizer.decode([label for label in row["labels"] if label != MASKED]))


def compared(tokenizer: Any, found: list[Row], meant: list[Row], what: str) -> dict[str, int]:
    """In how many rows tokens, and places and tokens of what is taught, agree with teachwhy's.

    The newline that follows the end of a turn is left out: nothing is written after it at serving.
    """
    rows = [(_bare(a, tokenizer), _bare(b, tokenizer)) for a, b in _zip(found, meant)]
    return {
        "tokens": count(((a[0], b[0]) for a, b in rows), f"{what}, tokens"),
        "taught": count(((a[1], b[1]) for a, b in rows), f"{what}, taught"),
    }


def _bare(row: Row, tokenizer: Any) -> tuple[list[int], list[tuple[int, int]]]:
    """Tokens to the last end of a turn, and place and token of what is taught but for what follows an end."""
    ids, end = list(row["input_ids"]), tokenizer.eos_token_id
    last = len(ids) - ids[::-1].index(end) if end in ids else len(ids)
    labels = list(enumerate(row["labels"]))
    return ids[:last], [(at, one) for at, one in labels if one != MASKED and (at == 0 or ids[at - 1] != end)]


def _zip(found: list[Row], meant: list[Row]) -> Iterator[tuple[Row, Row]]:
    return zip(found, meant, strict=len(found) == len(meant))


def check_datasets(folder: Path, model: Path, work: Path) -> Iterator[Outcome]:
    """Both files as a user loads them."""
    from datasets import load_dataset

    meant = lines(folder / "records.jsonl")
    keys = ("text",) if "text" in meant[0] else ("messages", "tools")
    sources: dict[str, tuple[str, dict[str, str]]] = {
        "FOLDER": (str(folder), {}),
        "records.jsonl": ("json", {"data_files": str(folder / "records.jsonl")}),
        "trainers.jsonl": ("json", {"data_files": str(folder / "trainers.jsonl")}),
    }
    if tuple(map(int, importlib.metadata.version("datasets").split(".")[:2])) < JSON_SINCE:
        sources = {"trainers.jsonl": sources["trainers.jsonl"]}  # older ones refuse Parquet and add nulls to JSON lines
    for name, (path, options) in sources.items():
        rows, wanted = meant, keys
        if name == "trainers.jsonl":
            rows = lines(folder / name)
            wanted = tuple(rows[0])
        found = load_dataset(path, split="train", cache_dir=str(work / "cache"), **options)
        pairs = (({k: a[k] for k in wanted}, {k: b.get(k, []) for k in wanted}) for a, b in _zip(list(found), rows))
        yield name, folder.name, len(rows), {"records": count(pairs, f"{folder.name} {name}")}


def check_llama_factory(folder: Path, model: Path, work: Path) -> Iterator[Outcome]:
    """``get_dataset`` for every entry that the card names, and the aligned records before the template."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.data.loader import _load_single_dataset
    from llamafactory.data.parser import get_dataset_list
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    records, tokens = lines(folder / "records.jsonl"), lines(folder / "tokens.jsonl")
    for block in [block for block in blocks(folder) if "stage" in block]:
        calls = "-plain" not in block["dataset"] and any(record.get("tools") for record in records)
        settings = block | {
            "dataset_dir": str(folder),
            "model_name_or_path": str(model),
            "do_train": True,
            "finetuning_type": "full",
            "cutoff_len": LENGTH,
            "packing": False,
            "output_dir": str(work / "out"),
            "cache_dir": str(work / "cache"),
            "report_to": "none",
            "use_cpu": True,
            **({"template": "qwen"} if calls else {}),  # otherwise the model's own
        }
        of_model, of_data, of_training, _, _ = get_train_args(settings)
        tokenizer = load_tokenizer(of_model)["tokenizer"]
        template = get_template_and_fix_tokenizer(tokenizer, of_data)
        [attributes] = get_dataset_list([block["dataset"]], str(folder))
        aligned = list(_load_single_dataset(attributes, of_model, of_data, of_training))
        module = get_dataset(template, of_model, of_data, of_training, block["stage"], tokenizer)
        found = list(module["train_dataset"])
        what = f"{folder.name}, {block['dataset']}"
        outcome = {"loaded": len(found)}
        if calls:
            outcome["records"] = count(((_aligned(a), _meant(b)) for a, b in _zip(aligned, records)), what)
            texts = ((_said(taught(tokenizer, a), tokenizer), _acts(b)) for a, b in _zip(found, records))
            outcome["taught"] = count(texts, f"{what}, taught")
        elif block["stage"] == "pt":
            rows = [row | {"labels": row["input_ids"]} for row in found]
            outcome["tokens"] = count(
                ((a["input_ids"], [*b["input_ids"], tokenizer.eos_token_id]) for a, b in _zip(rows, tokens)), what
            )
        else:
            outcome |= compared(tokenizer, found, tokens, what)
        yield block["dataset"], folder.name, len(records), outcome


def _aligned(row: Row) -> Row:
    """A record of LLaMA-Factory's in the words of ours."""
    turns = [*([{"role": "system", "content": row["_system"]}] if row["_system"] else []), *row["_prompt"]]
    said = [{"role": t["role"], "content": t["content"], "calls": []} for t in [*turns, *row["_response"]]]
    for turn in said:
        if turn["role"] == "observation":
            turn["role"] = "tool"
        if turn["role"] == "function":
            marked = re.search(r"\n?<tool_call>(.*)</tool_call>", turn["content"], re.DOTALL)
            turn["calls"] = json.loads(marked[1] if marked else turn["content"])
            turn |= {"role": "assistant", "content": turn["content"][: marked.start()] if marked else ""}
    return {"messages": said, "tools": json.loads(row["_tools"] or "[]")}


def _meant(record: Row) -> Row:
    said = [
        {
            "role": message["role"],
            "content": message.get("content") or "",
            "calls": [call["function"] for call in message.get("tool_calls") or []],
        }
        for message in record["messages"]
    ]
    return {"messages": said, "tools": record.get("tools", [])}


def _acts(record: Row) -> list[Any]:
    return [[m["content"], m["calls"]] for m in _meant(record)["messages"] if m["role"] == "assistant"]


def _said(text: str, tokenizer: Any) -> list[Any]:
    """Words and calls of every turn in text that a template of Qwen's form has written."""
    end = str(tokenizer.eos_token)
    turns = text.replace(f"{end}\n", end).removesuffix(end).split(end)
    mark = re.compile(r"\n?<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)
    return [[mark.sub("", turn), [json.loads(call) for call in mark.findall(turn)]] for turn in turns]


def check_axolotl(folder: Path, model: Path, work: Path) -> Iterator[Outcome]:
    """``load_datasets`` with every block of the card, and with Parquet for JSON lines."""
    from axolotl.cli.config import load_cfg
    from axolotl.common.datasets import load_datasets
    from axolotl.loaders import load_tokenizer
    from axolotl.utils.chat_templates import get_chat_template
    from axolotl.utils.dict import DictDefault

    records, tokens = lines(folder / "records.jsonl"), lines(folder / "tokens.jsonl")
    given = [block["datasets"][0] for block in blocks(folder) if "datasets" in block]
    given += [
        entry | {"path": "records.parquet", "ds_type": "parquet"} for entry in given if entry["path"] == "records.jsonl"
    ]
    for number, entry in enumerate(given):
        calls = entry.get("field_messages") == "messages" and any(record.get("tools") for record in records)
        config = {
            "base_model": str(model),
            "datasets": [entry | {"path": str(folder / entry["path"])}],
            "sequence_len": LENGTH,
            "micro_batch_size": 1,
            "gradient_accumulation_steps": 1,
            "num_epochs": 1,
            "learning_rate": 1e-4,
            "optimizer": "adamw_torch",
            "output_dir": str(work / "out"),
            "dataset_prepared_path": str(work / f"{folder.name}-{number}"),
            "shuffle_merged_datasets": False,
            "dataset_num_proc": 1,
            **({"chat_template": "qwen_25"} if calls else {}),  # otherwise the model's own
        }
        cfg = load_cfg(DictDefault(config))
        found = list(load_datasets(cfg=cfg).train_dataset)
        tokenizer = load_tokenizer(cfg)
        what = f"{folder.name}, {entry['path']}"
        outcome = {"loaded": len(found)}
        if entry["type"] == "completion":
            pairs = ((a["input_ids"], [*b["input_ids"], tokenizer.eos_token_id]) for a, b in _zip(found, tokens))
            outcome["tokens"] = count(pairs, what)
        elif calls:
            template = get_chat_template("qwen_25")
            kept = [_without_nulls(record) for record in records]
            meant = (
                tokenizer.apply_chat_template(
                    r["messages"], tools=r.get("tools") or None, chat_template=template, return_dict=False
                )
                for r in kept
            )
            outcome["tokens"] = count(((a["input_ids"], b) for a, b in zip(found, meant, strict=False)), what)
            texts = ((_said(taught(tokenizer, a), tokenizer), _acts(b)) for a, b in _zip(found, kept))
            outcome["taught"] = count(texts, f"{what}, taught")
        else:
            outcome |= compared(tokenizer, found, tokens, what)
        yield f"{entry['path']}, {entry.get('field_messages') or entry['field']}", folder.name, len(records), outcome
    if "text" in records[0]:
        streamed = {"path": str(folder), "split": "train", "text_column": "text", "type": "pretrain"}
        without = {key: value for key, value in config.items() if key != "datasets"}
        cfg = load_cfg(DictDefault(without | {"pretraining_dataset": [streamed], "max_steps": 1}))
        rows = [row["input_ids"].tolist() for row in load_datasets(cfg=cfg).train_dataset]  # in an order of its own
        meant = sorted(row["input_ids"] for row in tokens)
        outcome = {"loaded": len(rows), "tokens": count(_zip(sorted(rows), meant), f"{folder.name}, streamed")}
        yield "FOLDER, pretraining_dataset", folder.name, len(records), outcome


def _without_nulls(value: Any) -> Any:
    """As axolotl reads a record; the card counts those that this touches."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return list(map(_without_nulls, value)) if isinstance(value, list) else value


CHECKS: dict[str, Callable[[Path, Path, Path], Iterator[Outcome]]] = {
    "datasets": check_datasets,
    "llamafactory": check_llama_factory,
    "axolotl": check_axolotl,
}


def check(out: Path) -> int:
    """Run what can be run; the number of things that are not as they should be."""
    wrong = 0
    model = Path((out / "model.txt").read_text())
    for package, run in CHECKS.items():
        if importlib.util.find_spec(package) is None:
            print(f"skipped: {package} is not installed for {sys.executable}")
            continue
        versions = [f"{name} {importlib.metadata.version(name)}" for name in (package, "datasets", "transformers")]
        print(", ".join(dict.fromkeys(versions)))
        for folder in folders(out):
            # Trainers print whole records.
            with tempfile.TemporaryDirectory() as work, contextlib.redirect_stdout(sys.stderr):
                outcomes = list(run(folder, model, Path(work)))
            for name, corpus, records, outcome in outcomes:
                wrong += sum(number != records for number in outcome.values())
                print(f"  {corpus} | {name} | {records} | {', '.join(f'{k} {v}' for k, v in outcome.items())}")
    print("all as it should be" if not wrong else f"{wrong} counts differ from the number of records")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["prepare", "check"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, default=None, help="a folder with a tokenizer; the embedded model's")
    given = parser.parse_args()
    if given.step == "prepare":
        return prepare(given.out, given.model)
    os.environ |= {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1"}
    sys.exit(bool(check(given.out)))


if __name__ == "__main__":
    main()
