"""Commands about copies: backup, restore."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.errors import NightjarError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("models", nargs=-1)
def backup(folder: Path, models: Sequence[str]) -> None:
    """Copy the files of MODELS (all) and the registry of champions into FOLDER, each between two nights.

    Status 2 where one cannot be copied, as one that is damaged; the others are all the same.
    """
    from jobs import keeping

    wanted: list[tuple[str, Callable[[Path], Path | None]]] = [
        (model, partial(keeping.back_up, _home(), model)) for model in models or keeping.models_in(_home())
    ]
    if not models:
        wanted.append((keeping.REGISTRY, partial(keeping.back_up_registry, _home())))
    faults = 0
    for name, copy in wanted:
        try:
            copied = copy(folder)
        except Exception as error:  # one must not keep the others from being copied
            ours = isinstance(error, NightjarError)
            said = str(error) if ours else f"{name}: cannot be copied: {type(error).__name__}: {error}"
            click.echo(f"{'FAULT':<6}{said}", err=True)
            faults += 1
            continue
        if copied:
            click.echo(f"{name}: {copied}")
    if faults:
        raise click.exceptions.Exit(2)


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
