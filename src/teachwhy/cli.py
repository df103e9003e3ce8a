"""The command line. Heavy imports happen inside the commands, so that ``--help`` answers at once."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from teachwhy.study.run import Opened

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Teach a language model why, and measure whether it learned.",
)
corpus_app = typer.Typer(no_args_is_help=True, help="One corpus on its own: build, audit, show.")
app.add_typer(corpus_app, name="corpus")
constitution_app = typer.Typer(no_args_is_help=True, help="The question bank of a constitution: write it, check it.")
app.add_typer(constitution_app, name="constitution")

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="The study file (YAML).", show_default=False)]
Root = Annotated[Path, typer.Option("--runs", help="Folder of the runs: store, tables, reports.")]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="A study's folder, such as runs/quickstart.", show_default=False)
]
RUNS = Path("runs")
_INTERRUPTED = 130


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"teachwhy {version('teachwhy')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    pass


@app.command()
def run(study: StudyFile, runs: Root = RUNS) -> None:
    """Plan, estimate, run and report a study; a rerun goes on where it stopped."""
    from teachwhy.generation import make_missing
    from teachwhy.report.make import finished_report, make_report
    from teachwhy.study.run import open_study, run_study
    from teachwhy.watch import ConsoleWatcher

    make_missing(study, runs)
    opened = open_study(study, runs)
    if report := finished_report(opened):
        typer.echo(f"Nothing left to do.\nreport: {report}")
        return
    _print_plan(opened)
    with ConsoleWatcher(opened) as watcher:
        done = run_study(opened, watcher)
    typer.echo(f"report: {make_report(done)}")


@app.command()
def plan(study: StudyFile, runs: Root = RUNS) -> None:
    """What would run, its tokens and its time; nothing is run."""
    from teachwhy.generation import describe_missing
    from teachwhy.study.run import open_study

    if missing := describe_missing(study, runs):
        typer.echo(missing)
        return
    opened = open_study(study, runs)
    for node in opened.plan.nodes:
        cost = opened.costs[node.address]
        unit = "tokens " if node.kind == "train" else "samples"
        state = "there" if cost.done else _duration(cost.seconds)
        typer.echo(f"{node.address[:12]}  {cost.size:>8,} {unit}  {state:>8}  {node.label}")
    _print_plan(opened)


def _print_plan(opened: "Opened") -> None:
    from teachwhy.study.run import endpoints

    left, nodes = opened.left, opened.plan.nodes
    train = sum(opened.costs[n.address].size for n in left if n.kind == "train")
    samples = sum(opened.costs[n.address].size for n in left if n.kind != "train")
    seconds = sum(opened.costs[n.address].seconds for n in left)
    there = f"; {len(nodes) - len(left)} of {len(nodes)} steps are there already" if len(left) < len(nodes) else ""
    paced = "; an endpoint's pace is not known" if left and endpoints(opened.plan.study) else ""
    typer.echo(
        f"{opened.plan.study.study}: {len(left)} steps to run{there}\n"
        f"estimate: {train:,} tokens to train on, {samples:,} samples to measure, about {_duration(seconds)}{paced}"
    )


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{round(seconds)} s" if seconds < 90 else f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"


@app.command()
def report(folder: RunFolder) -> None:
    """Make the report of a finished run again."""
    from teachwhy.report.make import report_again

    typer.echo(f"report: {report_again(folder)}")


@app.command()
def view(folder: RunFolder, port: Annotated[int, typer.Option(help="Port of the transcript viewer.")] = 7575) -> None:
    """Open the report and serve the transcripts with Inspect's viewer, until Ctrl-C."""
    import webbrowser

    from teachwhy.report.make import existing_report

    page = existing_report(folder)
    typer.echo(f"report:      {page}\ntranscripts: http://127.0.0.1:{port} (Ctrl-C ends)")
    webbrowser.open(page.as_uri())
    from inspect_ai._view.view import view as inspect_view

    inspect_view(log_dir=str(folder / "logs"), host="127.0.0.1", port=port)


@app.command(name="eval")
def evaluate(
    suite: Annotated[
        str | None,
        typer.Argument(help="honeypots, twins, one kind of honeypot, or a suite (`teachwhy suites`)."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="An embedded name, a folder, a hub id, or any Inspect model name.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Honeypots, likelihood: train or held-out.")] = None,
    size: Annotated[str | None, typer.Option(help="Honeypots: brief or full.")] = None,
    samples: Annotated[int | None, typer.Option(help="How many; of honeypots, in each family.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="A key of the study's evals, KEY=VALUE.")] = None,
    grader: Annotated[str | None, typer.Option("--grader", "--judge", help="The model that judges.")] = None,
    auditor: Annotated[str | None, typer.Option(help="The model that probes.")] = None,
    rejudge: Annotated[
        Path | None, typer.Option(metavar="LOG", help="Judge a stored log of honeypots again; needs --grader.")
    ] = None,
    logs: Annotated[Path, typer.Option(help="Folder for the Inspect log.")] = Path("logs"),
) -> None:
    """Measure one model, or judge stored transcripts again."""
    from teachwhy.standalone import SUITES, judge_again, measure_suite, parsed_settings
    from teachwhy.standalone import evaluate as measure

    if rejudge:
        typer.echo(judge_again(rejudge, grader, logs))
        return
    if not suite or not model:
        raise typer.BadParameter("name a suite and --model, or --rejudge LOG with --grader")
    asked = {"split": split, "size": size, "samples": samples}
    given = {key: value for key, value in asked.items() if value is not None} | parsed_settings(settings or [])
    roles = {role: name for role, name in (("grader", grader), ("auditor", auditor)) if name}
    if suite in SUITES:
        typer.echo(measure(suite, model, given=given, roles=roles, logs=logs))
    else:
        typer.echo(measure_suite(suite, model, given, roles, logs))


@app.command()
def calibrate(
    suite: Annotated[
        str, typer.Option(help="honeypots, understanding, assessment, over-refusal or harmful-compliance.")
    ] = "honeypots",
    judge: Annotated[
        str, typer.Option("--judge", "--grader", help="Any Inspect model name; or, for the honeypots, rules.")
    ] = "rules",
    part: Annotated[str | None, typer.Option(help="Of the honeypots: held-out (the default) or development.")] = None,
) -> None:
    """Put a suite's labelled texts to a judge, and say how far it agrees with their labels."""
    from teachwhy.standalone import calibrated

    typer.echo(calibrated(suite, judge, part))


@app.command(name="suites")
def list_suites() -> None:
    """The suites that can be measured, with what each gives."""
    from teachwhy.standalone import describe_suites

    typer.echo(describe_suites())


@app.command()
def train(
    model: Annotated[str, typer.Option(help="What to start from: an embedded name, a folder or a hub id.")],
    corpus: Annotated[list[str], typer.Option(help="NAME[:TOKENS], or a .jsonl file; once for each stage, in order.")],
    out: Annotated[Path, typer.Option(help="The folder to write: an ordinary Hugging Face folder and ledger.json.")],
    seed: Annotated[int, typer.Option(help="Decides the order of the data.")] = 0,
    lora: Annotated[bool, typer.Option("--lora", help="Train low-rank adapters and merge them.")] = False,
    learning_rate: Annotated[float | None, typer.Option(help="The default depends on nothing but the method.")] = None,
) -> None:
    """Teach one model one or more corpora."""
    from teachwhy.standalone import teach

    typer.echo(teach(model, corpus, out, seed=seed, lora=lora, learning_rate=learning_rate))


@app.command()
def models() -> None:
    """The models that can be named."""
    from teachwhy.models.registry import list_models

    for known in list_models():
        typer.echo(f"{known.name:24} {known.kind:10} {known.note}")
    typer.echo("Besides: a folder, a Hugging Face id (org/name), or any Inspect name (openai/..., vllm/...).")


@app.command()
def doctor() -> None:
    """Is this machine able: versions, memory, disk, a training step and a sampled reply of a tiny model."""
    from teachwhy.doctor import examine

    findings = examine()
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.said}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@corpus_app.command("show")
def corpus_show(
    name: Annotated[str | None, typer.Argument(help="A corpus; all of them if left out.")] = None,
    records: Annotated[int, typer.Option(help="Records to print.")] = 3,
    full: Annotated[bool, typer.Option("--all", help="All corpora with tokens and what each got of its deck.")] = False,
) -> None:
    """List the corpora, or print some records of one."""
    from teachwhy.library import describe_corpora, describe_corpus

    typer.echo(describe_corpus(name, records) if name and not full else describe_corpora(full=full))


@corpus_app.command("build")
def corpus_build(
    name: Annotated[str, typer.Argument(help="A corpus by name, or a .yaml file that declares one by a recipe.")],
    out: Annotated[Path, typer.Option(help="The folder to write into; a rerun goes on where it stopped.")],
    plan: Annotated[bool, typer.Option("--plan", help="Only say what it will ask for and cost.")] = False,
) -> None:
    """Write a corpus that ships, or make one with models by a recipe."""
    from teachwhy.corpora.publish import build_corpus
    from teachwhy.generation import describe_job, make_corpus

    if name.endswith(".yaml"):
        typer.echo(describe_job(Path(name)) if plan else make_corpus(Path(name), out))
    else:
        typer.echo(f"records: {build_corpus(name, out)}")


@corpus_app.command("recipes")
def corpus_recipes(
    name: Annotated[str | None, typer.Argument(help="A recipe; all of them if left out.")] = None,
) -> None:
    """List the recipes, or print a declaration of one to start from."""
    from teachwhy.generation import describe_recipes, template

    typer.echo(template(name) if name else describe_recipes())


@corpus_app.command("audit")
def corpus_audit(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Corpora by name, or .jsonl files.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the page audit.html, its mirror and the data.")] = None,
    against: Annotated[str | None, typer.Option(help="A corpus that should differ in nothing but the reasons.")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="A check to leave out, such as em-dash; repeat.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes for a large file; all processors by default.")] = None,
) -> None:
    """Measure corpora against the thresholds and the firewall; exit code 2 if the firewall refuses one."""
    from teachwhy.library import audit_corpora

    said, allowed = audit_corpora(names, against=against, skip=skip or [], out=out, workers=workers)
    typer.echo(said)
    if not allowed:
        raise typer.Exit(2)


ConstitutionFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The constitution: a Markdown file, default or short.")
]


@constitution_app.command("bank")
def constitution_bank(
    file: ConstitutionFile,
    model: Annotated[str, typer.Option(help="The model that writes: any Inspect model name.")],
    out: Annotated[Path, typer.Option(help="The bank's folder; a rerun asks only for what is missing.")],
) -> None:
    """Let a model write questions on a constitution."""
    from teachwhy.standalone import write_questions

    typer.echo(write_questions(file, model, out))


@constitution_app.command("check")
def constitution_check(
    file: ConstitutionFile, bank: Annotated[Path, typer.Option(help="The folder or file of questions.")]
) -> None:
    """Do the questions rest on the sections as they are now? Exit code 2 if some do not."""
    from teachwhy.standalone import check_questions

    said, sound = check_questions(file, bank)
    typer.echo(said)
    if not sound:
        raise typer.Exit(2)


def main() -> None:
    """Entry point: our errors become three lines and an exit code."""
    from teachwhy.errors import TeachwhyError

    # Threads that wait for one another spin; on a machine that others use too, this costs most of the time. Must be
    # set before torch is imported (docs/benchmarks.md has the figures).
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        app()
    except TeachwhyError as error:
        _stop(f"error: {error}", error.exit_code)
    except (KeyboardInterrupt, SystemExit) as stop:
        if isinstance(stop, SystemExit) and stop.code != _INTERRUPTED:  # what typer makes of a Ctrl-C
            raise
        print("stopped; the same command goes on from here", file=sys.stderr, flush=True)
        os._exit(
            _INTERRUPTED
        )  # a thread may be in the midst of a batch, and joining or unwinding it would abort with noise


def _stop(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(code)


if __name__ == "__main__":
    main()
