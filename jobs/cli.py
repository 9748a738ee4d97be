"""The command line `nightjar`. Every command ends with one clear line and a non-zero status on error."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs import cli_keeping, cli_retraining
from jobs.cli_backtest import backtest
from jobs.cli_detect import detect
from jobs.errors import NightjarError, UsageError
from jobs.periods import Period, parse_day
from jobs.pipeline import STAGE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jobs.spec.model import ModelSpec

PROJECT = Path(__file__).resolve().parents[1]
"""Relative paths of settings start here, whichever folder a command is given in."""


class Nightjar(click.Group):
    """Turns our errors into one line on standard error and status 2."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except NightjarError as error:
            click.echo(f"nightjar: {error}", err=True)
            ctx.exit(2)


def _home() -> Path:
    return PROJECT / (os.environ.get("NIGHTJAR_HOME") or "var")


def _models() -> Path:
    return PROJECT / (os.environ.get("NIGHTJAR_MODELS") or "dags/models")


def _spec(model: str) -> ModelSpec:
    from jobs.spec.reading import find_spec, load_spec

    return load_spec(find_spec(model, _models()))


def _period(day: str | None, first: str | None, last: str | None) -> Period:
    if day and not (first or last):
        return Period.of(parse_day(day))
    if first and last and not day:
        return Period(parse_day(first), parse_day(last))
    raise UsageError("give --day D for one night, or --from A --to B for a range; days are written YYYY-MM-DD")


def _days(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--to", "last", metavar="DAY", help="Last business day of a range."),
        click.option("--from", "first", metavar="DAY", help="First business day of a range."),
        click.option("--day", metavar="DAY", help="One business day, YYYY-MM-DD."),
    ):
        command = option(command)
    return command


@click.group(cls=Nightjar, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nightjar")
def main() -> None:
    """Watches machine-learning models while people sleep."""


@main.command()
@click.argument("model")
@_days
@click.option("--stage", "stages", multiple=True, type=click.Choice(STAGE_NAMES), help="Only this stage (repeatable).")
@click.option(
    "--send",
    is_flag=True,
    help="Send the night's mail if it is due; only for one --day, the newest closed one.",
)
def run(model: str, day: str | None, first: str | None, last: str | None, stages: Sequence[str], send: bool) -> None:
    """Run the nights of MODEL; a range is one set-based pass."""
    spec, period = _spec(model), _period(day, first, last)
    if send and len(period) > 1:
        raise UsageError("--send goes with --day: a range is a backfill, and a backfill sends nothing")
    _run(spec, period, tuple(stages) or STAGE_NAMES)
    if send:
        from datetime import UTC, datetime

        from jobs.delivery import dispatch
        from jobs.periods import business_day

        newest = Period.of(business_day(datetime.now(UTC), spec.timezone)).reaching_back(1).first
        click.echo(str(dispatch(spec, period.last, _home(), newest)))


def _run(spec: ModelSpec, period: Period, stages: Sequence[str] = STAGE_NAMES) -> None:
    from tqdm import tqdm

    from jobs.pipeline import run as run_stages

    ordered = tuple(stage for stage in STAGE_NAMES if stage in stages)
    with tqdm(total=len(ordered), desc=f"{spec.model} {period}", disable=None, leave=False) as bar:
        for summary in run_stages(spec, period, _home(), ordered):
            bar.update()
            tqdm.write(str(summary))
            for note in summary.notes:
                tqdm.write(f"  {note}", file=sys.stderr)


@main.command()
@click.argument("model")
@_days
@click.option("--pdf", is_flag=True, help="Also print the last night's page to report.pdf (needs Chromium).")
@click.option("--png", is_flag=True, help="Also paint its overview to overview.png (needs Chromium).")
def report(model: str, day: str | None, first: str | None, last: str | None, pdf: bool, png: bool) -> None:
    """Render the reports of MODEL again."""
    spec, period = _spec(model), _period(day, first, last)
    if pdf or png:
        from jobs.engine import printing

        printing.browser()
    _run(spec, period, ("report",))
    page = report_file(spec, period)
    click.echo(page)
    if pdf or png:
        if said := printing.missing_fonts(page):
            click.echo(f"note: {said}", err=True)
        for paint in [printing.to_pdf] * pdf + [printing.to_png] * png:
            click.echo(paint(page))


def report_file(spec: ModelSpec, period: Period) -> Path:
    """Where the report of the period's last night lies."""
    return _home() / "reports" / spec.model / str(period.last) / "index.html"


@main.command()
@click.argument("model")
@click.argument("statement")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values instead of a table.")
def query(model: str, statement: str, as_csv: bool) -> None:
    """Read-only SQL on the published data of MODEL, for example "SELECT * FROM metrics LIMIT 5"."""
    import duckdb

    from jobs.engine.warehouse import read_published

    spec = _spec(model)
    with read_published(_home(), spec.model) as connection:
        try:
            rows = connection.execute(statement).df()
        except duckdb.Error as error:
            raise UsageError(f"{spec.model}: {error}") from error
    click.echo(rows.to_csv(index=False) if as_csv else rows.to_string(index=False), nl=not as_csv)


@main.command()
@click.argument("models", nargs=-1)
def validate(models: Sequence[str]) -> None:
    """Check specs (all, or MODELS) against the data's real schema."""
    from jobs.health import no_spec
    from jobs.spec.advice import notes
    from jobs.spec.checking import check_against_data
    from jobs.spec.reading import find_spec, load_spec, spec_files

    files = [find_spec(model, _models()) for model in models] or spec_files(_models())
    if not files:
        raise UsageError(no_spec(_models()))
    faults = 0
    for path in files:
        try:
            spec = load_spec(path)
            found = [*check_against_data(spec), *notes(spec)]
        except NightjarError as error:
            found = [str(error)]
        for sentence in found:
            click.echo(sentence)
        faults += sum(not sentence.startswith("note:") for sentence in found)
        click.echo(f"{path.name}: {'ok' if not [s for s in found if not s.startswith('note:')] else 'see above'}")
    if faults:
        raise UsageError(f"{faults} faults; correct the specs or the data and run `nightjar validate` again")


@main.command()
@click.argument("model")
@click.argument("incident", required=False)
@click.option("--by", "person", default=lambda: os.environ.get("USER", "somebody"), help="Who looks after it.")
@click.option("--note", default="", help="Anything worth keeping.")
def ack(model: str, incident: str | None, person: str, note: str) -> None:
    """Acknowledge INCIDENT of MODEL, so that it is not repeated; without INCIDENT: what is open, and who has."""
    from jobs import answers

    spec = _spec(model)
    if incident is None:
        click.echo(answers.standing(spec, _home()))
    else:
        click.echo(answers.acknowledge(spec.model, _home(), incident, person, note))


@main.command()
@click.argument("model")
@click.argument("key")
@click.option("--reject", is_flag=True, help="Say no instead.")
@click.option("--by", "person", default=lambda: os.environ.get("USER", "somebody"), help="Who decides.")
@click.option("--note", default="", help="Anything worth keeping.")
def approve(model: str, key: str, reject: bool, person: str, note: str) -> None:
    """Approve the request KEY of MODEL, which waits for a person; the next `run --send` hands it over."""
    from jobs import answers

    click.echo(answers.decide(_spec(model), _home(), key, person, not reject, note))


@main.command()
@click.argument("models", nargs=-1)
@click.option("--tell", is_flag=True, help="Also tell the channels of critical incidents, once.")
def health(models: Sequence[str], tell: bool) -> None:
    """Did every night run that is due, and was it heard? Status 1 where one of MODELS (all) misses nights or hearers.

    Where NIGHTJAR_BACKUP names the folder of the copies, also where a copy is missing or older than two days.

    Status 2 where one cannot be looked at, as one with a broken spec or none, or told; the others are all the same.
    """
    from datetime import UTC, datetime

    from jobs import keeping
    from jobs.health import survey, tell_late, unwatched
    from jobs.spec.reading import find_spec, load_each, spec_files

    now = datetime.now(UTC)
    specs, broken = load_each([find_spec(one, _models()) for one in models] or spec_files(_models()))
    found, faults = survey(specs, _home(), now)
    faults += [] if models else unwatched(_models(), _home())
    for one in found:
        click.echo(f"{'LATE' if one.late else 'ok':<6}{one}")
        for unheard in one.owed:
            click.echo(f"{'OWED':<6}{unheard}")
    copies = os.environ.get(keeping.COPIES)
    uncopied = keeping.stale(_home(), PROJECT / copies, models, now) if copies else []
    for sentence in uncopied:
        click.echo(f"{'STALE':<6}{sentence}")
    unwell = {one.model for one in found if not one.well}
    for spec in (one for one in specs if tell and one.model in unwell):
        try:
            for said in tell_late([spec], _home(), now):
                click.echo(f"told: {said}")
        except NightjarError as error:
            faults.append(str(error))
    for fault in (*broken, *faults):
        click.echo(f"{'FAULT':<6}{fault}", err=True)
    if broken or faults or unwell or uncopied:
        raise click.exceptions.Exit(2 if broken or faults else 1)


@main.command()
@click.argument("predictions", type=click.Path())
@click.argument("labels", type=click.Path(), required=False)
def init(predictions: str, labels: str | None) -> None:
    """Write a starter spec for the files PREDICTIONS (and LABELS) to standard output."""
    from jobs.spec.starter import starter

    click.echo(starter(Path(predictions), Path(labels) if labels else None), nl=False)


@main.command()
@click.option("--seed", default=7, show_default=True, help="Of the simulated world.")
def demo(seed: int) -> None:
    """Build the simulated world, run every night of it, and show what was found."""
    from jobs.found import found
    from jobs.world import build_world
    from jobs.world.building import MODEL, world_folder

    world = build_world(world_folder(_home()), seed)
    spec = _spec(MODEL)
    _run(spec, world.period)
    click.echo("")
    click.echo(found(_home(), spec.model, world.period))
    click.echo(f"\nReport: {report_file(spec, world.period)}")


for _command in (backtest, detect, *cli_retraining.COMMANDS, *cli_keeping.COMMANDS):
    main.add_command(_command)


if __name__ == "__main__":
    main()
