"""Commands about copies: backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("models", nargs=-1)
def backup(folder: Path, models: Sequence[str]) -> None:
    """Copy the files of MODELS (all) and the registry of champions into FOLDER, each between two nights."""
    from jobs.keeping import back_up, back_up_registry

    for model in models or sorted(path.stem for path in _home().glob("*.duckdb")):
        click.echo(f"{model}: {back_up(_home(), model, folder)}")
    if not models and (copied := back_up_registry(_home(), folder)):
        click.echo(f"registry: {copied}")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("models", nargs=-1)
@click.option("--registry", is_flag=True, help="Also put the registry of champions back.")
def restore(folder: Path, models: Sequence[str], registry: bool) -> None:
    """Put the copies of MODELS in FOLDER back in place; what stood there is kept in `before-restore`."""
    from jobs import keeping

    for model in models:
        click.echo(f"{model}: restored; what was there is in {keeping.restore(folder, _home(), model)}")
    if registry:
        restored = keeping.restore_registry(folder, _home())
        click.echo(f"registry: {restored or f'{folder} holds none'}")


def _home() -> Path:
    from jobs import cli

    return cli._home()


COMMANDS = (backup, restore)
