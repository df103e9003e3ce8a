"""Time and memory of the audit, firewall included, on synthetic records of about 300 words.

    python benchmarks/audit_scale.py [RECORDS ...] [--workers 2] [--limit-gb 16]

Prints one row of a Markdown table for each number of records (10,000 and 100,000 if none are given). Every number is
measured in a process of its own. Memory is the largest resident set of that process, and of the largest of its workers.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import synthetic

from teachwhy.corpora.audit import asked_of, audit_file
from teachwhy.evals.asked import asked_texts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("records", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit-gb", type=int, default=16)
    parser.add_argument("--one", action="store_true", help="measure here, not in a process of its own")
    given = parser.parse_args()
    if given.one:
        measure(given.records[0], given.workers, given.limit_gb)
        return
    print("| records | seconds | ms a record | GB, main process | GB, each worker | failed checks |", flush=True)
    print("|---:|---:|---:|---:|---:|---|", flush=True)
    options = ["--one", "--workers", str(given.workers), "--limit-gb", str(given.limit_gb)]
    for number in given.records:
        subprocess.run([sys.executable, __file__, str(number), *options], check=True)


def measure(number: int, workers: int, limit_gb: int) -> None:
    """Audit so many records and print the row."""
    resource.setrlimit(resource.RLIMIT_AS, (limit_gb << 30, limit_gb << 30))
    with tempfile.TemporaryDirectory() as folder:
        path = synthetic.write(Path(folder) / "records.jsonl", number)
        before = time.perf_counter()
        found = audit_file(path, asked=asked_of(asked_texts()), workers=workers, tick=tick(number))
        seconds = time.perf_counter() - before
    peaks = [resource.getrusage(who).ru_maxrss / 2**20 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    failed = ", ".join(f"{check.name} {check.value:.3f}" for check in found.failed) or "none"
    row = [
        f"{number:,}",
        f"{seconds:,.0f}",
        f"{1000 * seconds / number:.2f}",
        *(f"{peak:.2f}" for peak in peaks),
        failed,
    ]
    print(f"| {' | '.join(row)} |", flush=True)


def tick(number: int):  # type: ignore[no-untyped-def]
    """Says on stderr how far it is, every tenth part."""
    began, told = time.perf_counter(), [0]

    def said(done: int) -> None:
        if done * 10 // number > told[0]:
            told[0] = done * 10 // number
            print(f"{done:,} of {number:,}, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)

    return said


if __name__ == "__main__":
    main()
