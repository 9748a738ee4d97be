"""The folder of reports: files put in place whole, a small state file a model, and the one page that all models share.

A model's own files have one writer, because its warehouse has. The list of models has many: it is read and written
under a lock, so that of two models that finish together neither loses the other's line.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from jobs.periods import Period

ENTRIES, STATE = "nights.json", "state.json"
"""Of each model: what each night found in a few words, and its line in the list of models."""
BACKTESTS = "backtests"
"""The folder of each model in which the pages of backtests lie."""
WAIT_SECONDS = 120.0


def model_folder(home: Path, model: str) -> Path:
    """Where a model's reports lie."""
    return home / "reports" / model


def write(path: Path, text: str) -> None:
    """Put the text in place whole, so that a reader sees the old page or the new one. An equal file is left alone."""
    content = text.encode("utf-8")
    with suppress(OSError):
        if path.read_bytes() == content:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON file of one line a key, so that it reads and compares well."""
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(one, ensure_ascii=False)}" for key, one in content.items())
    write(path, f"{{\n{lines}\n}}\n")


def read_entries(folder: Path) -> dict[str, Any]:
    """What is kept of each night; nothing where there is no such file, or a broken one."""
    return read_json(folder / ENTRIES)


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote; nothing where there is no such file, or a broken one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def nights(folder: Path) -> list[date]:
    """The nights that have a page, in order."""
    found = []
    for place in folder.iterdir() if folder.is_dir() else ():
        with suppress(ValueError):
            day = date.fromisoformat(place.name)
            if (place / "index.html").is_file():
                found.append(day)
    return sorted(found)


def backtest_file(home: Path, model: str, period: Period, told: str = "") -> Path:
    """Where the page of a backtest lies: beside the nights, so that it is served where they are.

    `told`: what tells it from other backtests of the period, in letters a file name may have; empty for the plain one.
    """
    rest = f"_{told}" if told else ""
    return model_folder(home, model) / BACKTESTS / f"{period.first}_{period.last}{rest}.html"


def backtests(folder: Path) -> list[tuple[date, date, str]]:
    """First and last night of each backtest that has a page, and what tells it from others; the newest nights first."""
    found = []
    for path in (folder / BACKTESTS).glob("*_*.html"):
        with suppress(ValueError):
            first, last, *told = path.stem.split("_", 2)
            found.append((date.fromisoformat(first), date.fromisoformat(last), "".join(told)))
    return sorted(found, key=lambda one: (one[1], one[0], one[2]), reverse=True)


def publish(home: Path, model: str, card: Mapping[str, Any], render: Callable[[list[dict[str, Any]]], str]) -> None:
    """Write the model's line, and the list of all models as their lines stand now."""
    home.mkdir(parents=True, exist_ok=True)
    root = home / "reports"
    with FileLock(home / "reports.lock", timeout=WAIT_SECONDS):
        write_json(root / model / STATE, card)
        write(root / "index.html", render(cards(home)))


def cards(home: Path) -> list[dict[str, Any]]:
    """The line of each model as it stands now."""
    read = (read_json(path) for path in sorted((home / "reports").glob(f"*/{STATE}")))
    return [one for one in read if one.get("model")]
