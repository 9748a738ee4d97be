"""`nightjar detect`: the detector on anybody's series."""

from __future__ import annotations

from pathlib import Path

import click

from jobs.errors import UsageError


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", "output", type=click.Path(path_type=Path), required=True, help="CSV of flags to write.")
@click.option("--plot", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Also a page for every series.")
@click.option(
    "--limit", type=float, help="Deviations from the expected value that are an anomaly.  [default: 4, of hours 5]"
)
@click.option(
    "--recurring",
    type=click.IntRange(min=0),
    help="Times a daily series must have gone out before it must go farther "
    "than it then did; 0: each time is an anomaly.  [default: 3]",
)
@click.option("--country", help="Its public holidays are known beforehand, for example PT.")
def detect(
    file: Path, output: Path, folder: Path | None, limit: float | None, recurring: int | None, country: str | None
) -> None:
    """Find anomalies in any daily or hourly series.

    FILE is a CSV with the columns series_id, ds, y and, if wanted, n (rows behind y), kind (rate, count, latency,
    psi, amount, level) and direction (which side hurts: up, down, both). Every point is judged by the points before
    it, as a night would have. Flags: series_id, ds, y, expected, lower, upper, distance, is_anomaly, detector, reason.
    """
    import pandas as pd
    from tqdm import tqdm

    from jobs import detecting, detecting_input

    if limit is not None and not 0 < limit < float("inf"):
        raise UsageError(f"--limit is {limit:g}; it counts deviations, so it is above 0, and 3 to 6 are sensible")
    settings = detecting.settings(limit, recurring, _known(country) if country else None)
    detecting.check_target(output, file)
    series = detecting_input.read(file)
    found = []
    with tqdm(total=len(series), desc="series", disable=None, leave=False) as bar:
        for one in detecting.detect(series, settings):
            found.append(one)
            bar.update()
    rows = pd.concat([detecting.flags(one, its) for one, its in zip(series, found, strict=True)])
    detecting.replace(output, rows.to_csv(index=False, lineterminator="\n"))
    page = detecting.draw(folder, series, found, file.name) if folder else None
    for line in detecting.summary(series, found):
        click.echo(line)
    click.echo(f"Flags: {output}")
    if page:
        click.echo(f"Plots: {page}")


def _known(country: str) -> str:
    """The country, if its holidays are known."""
    import holidays

    country = country.strip().upper()
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        raise UsageError(f"--country {country}: its holidays are not known. Known: {', '.join(sorted(known))}")
    return country
