"""Time and memory of the audit, firewall included, on synthetic records of about 300 words.

    python benchmarks/audit_scale.py [RECORDS ...] [--workers 2] [--limit-gb 16]

Prints one row of a Markdown table for each number of records (10,000 and 100,000 if none are given). Every number is
measured in a process of its own. Memory is the largest resident set of that process, and of the largest of its workers.
Where other work shares the machine, CPU seconds say what the clock does not.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import synthetic
from teachwhy.corpora.audit import asked_of, audit_file
from teachwhy.evals.asked import asked_texts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("records", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit-gb", type=int, default=16)
    parser.add_argument("--file", type=Path, help="take the first records of this file instead of making them")
    parser.add_argument("--one", action="store_true", help="measure here, not in a process of its own")
    given = parser.parse_args()
    if given.one:
        measure(given.records[0], given.workers, given.limit_gb, given.file)
        return
    print("| records | seconds | CPU seconds | CPU ms a record | GB, main | GB, a worker | failed checks |", flush=True)
    print("|---:|---:|---:|---:|---:|---:|---|", flush=True)
    options = ["--one", "--workers", str(given.workers), "--limit-gb", str(given.limit_gb)]
    options += ["--file", str(given.file)] if given.file else []
    for number in given.records:
        subprocess.run([sys.executable, __file__, str(number), *options], check=True)


def measure(number: int, workers: int, limit_gb: int, file: Path | None) -> None:
    """Audit so many records and print the row."""
    resource.setrlimit(resource.RLIMIT_AS, (limit_gb << 30, limit_gb << 30))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        if file:
            with file.open("rb") as source, path.open("wb") as taken:
                taken.writelines(islice(source, number))
        else:
            synthetic.write(path, number)
        before, used = time.perf_counter(), _cpu()
        found = audit_file(path, asked=asked_of(asked_texts()), workers=workers, tick=tick(number))
        seconds, cpu = time.perf_counter() - before, _cpu() - used
    peaks = [resource.getrusage(who).ru_maxrss / 2**20 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    failed = ", ".join(f"{check.name} {check.value:.3f}" for check in found.failed) or "none"
    times = [f"{seconds:,.0f}", f"{cpu:,.0f}", f"{1000 * cpu / number:.2f}"]
    print(f"| {number:,} | {' | '.join([*times, *(f'{peak:.2f}' for peak in peaks), failed])} |", flush=True)


def _cpu() -> float:
    """CPU seconds of this process and of those it has waited for."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


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
