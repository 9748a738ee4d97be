"""`nightjar backtest`: what other rules would have been worth."""

from __future__ import annotations

import hashlib
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.errors import UsageError
from jobs.periods import parse_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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

        files = {"spec": spec_file, "truth": truth}
        words = {"fell": (fell,) if fell else (), "rule": rules}
        switches: dict[str, str | bool] = {"budget": "" if asked.budget == Asked().budget else budget, "loosen": loosen}
        given = _given(files, words, switches)
        target = shelf.backtest_file(home, spec.model, done.period, _told_by(given, files))
        days_told = ["--from", str(done.period.first), "--to", str(done.period.last)]
        command = shlex.join(["nightjar", "backtest", spec.model, *days_told, *given])
        shelf.write(target, page(view(done, command)))
        calendar(spec, home)
        click.echo(f"\nPage: {target}")


def _given(
    files: Mapping[str, Path | None], words: Mapping[str, tuple[str, ...]], switches: Mapping[str, str | bool]
) -> list[str]:
    """What was asked besides model and days, as arguments; of files their names alone.

    >>> _given({"spec": Path("tried/shop.yaml"), "truth": None}, {"rule": ("no data",)}, {"loosen": True})
    ['--spec', 'shop.yaml', '--rule', 'no data', '--loosen']
    """
    named = [part for name, path in files.items() if path for part in (f"--{name}", path.name)]
    said = [part for name, texts in words.items() for text in texts for part in (f"--{name}", text)]
    switched = [
        part for name, value in switches.items() if value for part in (f"--{name}", *([] if value is True else [value]))
    ]
    return [*named, *said, *(str(part) for part in switched)]


def _told_by(given: Sequence[str], files: Mapping[str, Path | None]) -> str:
    """What tells a backtest's page from others of its nights: the options and a digest of them and of their files.

    >>> _told_by([], {}), _told_by(["--rule", "no data"], {})
    ('', 'rule-a08d1b8c')
    """
    if not given:
        return ""
    made = hashlib.sha256("\0".join(given).encode())
    for path in files.values():
        made.update(path.read_bytes() if path else b"")
    options = dict.fromkeys(part.removeprefix("--") for part in given if part.startswith("--"))
    return "-".join([*(name for name in options if name.isalpha()), made.hexdigest()[:8]])


def _step(what: str) -> None:
    """What is being done, where somebody watches."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{what} ...", err=True, nl=False)
