"""`nightjar backtest`: what other rules would have been worth."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from jobs.errors import UsageError
from jobs.periods import parse_day

_BUDGET = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?:\s*(?:/|per|a)\s*(?P<unit>day|night|week|month))?")
_WEEKS = {"day": 7.0, "night": 7.0, "week": 1.0, "month": 7 / 30}


def budget_of(text: str) -> float:
    """Alarms a week.

    >>> budget_of("0.5/week"), budget_of("2"), round(budget_of("1/month"), 3)
    (0.5, 2.0, 0.233)
    """
    found = _BUDGET.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError(f"--budget '{text}' is not understood; write alarms a week, for example 0.5/week or 2/month")
    return float(found["number"]) * _WEEKS[found["unit"] or "week"]


@click.command()
@click.argument("model")
@click.option("--from", "first", metavar="DAY", help="First night reported; absent: the first one there is.")
@click.option("--to", "last", metavar="DAY", help="Last night; absent: the last one with metrics.")
@click.option("--spec", "spec_file", type=click.Path(path_type=Path), help="A spec with other rules; any file name.")
@click.option("--truth", type=click.Path(path_type=Path), help="Labelled incidents: CSV with start,end[,note][,known].")
@click.option(
    "--fell", default="", metavar="WORDS", help="Or what final labels showed: 'accuracy drop 5pp at final age'."
)
@click.option("--budget", default="0.5/week", show_default=True, help="Alarms that each rule may raise.")
@click.option(
    "--rule", "rules", multiple=True, metavar="NAME", help="Only this rule, as verdicts name it (repeatable)."
)
@click.option("--loosen", is_flag=True, help="Look for looser bounds of rules that fire an action, too.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also write a CSV, one line a rule.")
@click.option("--html", is_flag=True, help="Also write a page, below NIGHTJAR_HOME.")
def backtest(
    model: str,
    first: str | None,
    last: str | None,
    spec_file: Path | None,
    truth: Path | None,
    fell: str,
    budget: str,
    rules: tuple[str, ...],
    loosen: bool,
    output: Path | None,
    html: bool,
) -> None:
    """Replay the rules of MODEL over its history, as of each night: alarms, precision, recall, lead time, actions.

    Nothing is sent, nothing fired, and nothing of the model's history is changed.
    """
    from jobs.backtest import Asked, run
    from jobs.backtest_text import as_csv, table, view
    from jobs.cli import _home, _spec
    from jobs.spec.reading import load_spec

    if truth and fell:
        raise UsageError("give --truth FILE or --fell WORDS, not both")
    spec = _spec(model)
    if spec_file:
        if not spec_file.is_file():
            raise UsageError(f"there is no spec file '{spec_file}'")
        spec = load_spec(spec_file, named=spec.model)
    if output and (output.is_dir() or not output.absolute().parent.is_dir()):
        what = "is a folder" if output.is_dir() else f"cannot be written: there is no folder '{output.parent}'"
        raise UsageError(f"-o {output} {what}; give a file in a folder that there is")
    days = parse_day(first) if first else None, parse_day(last) if last else None
    asked = Asked(*days, truth, fell, budget_of(budget), rules, loosen)
    home = _home()
    done = run(spec, asked, home, _step)
    click.echo(table(done))
    if output:
        output.write_text(as_csv(done), encoding="utf-8")
        click.echo(f"\nCSV: {output}")
    if html:
        from jobs.engine import shelf
        from jobs.stages.report import calendar
        from reports.backtest import page

        target = shelf.backtest_file(home, spec.model, done.period)
        shelf.write(target, page(view(done)))
        calendar(spec, home)
        click.echo(f"\nPage: {target}")


def _step(what: str) -> None:
    """What is being done, where somebody watches."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{what} ...", err=True, nl=False)
