"""Nightjar and the peers on one workload, in turn, each a whole process from a cold start.

    python -m benchmarks.side_by_side [--full] [--rounds 3] [--only nightjar,popmon]

Small: 10 days x 3,000 rows; full: 30 days x 20,000 rows; both with 20 numeric and 5 categorical features, 3 segments
and labels 0 to 30 days late. Every round runs every tool once, each time beginning with another; the medians are
printed as a table. Each tool has run once on a tiny workload before, so that its bytecode is compiled. Nightjar runs
`run --from --to`: all six stages, the label metrics at three label ages, and the page of every night. What a peer
computes stands in its `peers/*.py`; those take labels as they are known on the last day, at no particular age.

Peers live in environments of their own, made from `peers/*.txt` under `var/peers/`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import Cost, cost_of, machine, size_of
from benchmarks.workload import Size, build

HERE = Path(__file__).parent
ENVIRONMENTS = Path(os.environ.get("NIGHTJAR_PEERS") or HERE.parent / "var" / "peers")
PEERS = {
    "pandas + scikit-learn": (None, "pandas_sklearn"),
    "whylogs": ("whylogs", "whylogs_profiles"),
    "popmon": ("popmon", "popmon_report"),
    "NannyML": ("nannyml", "nannyml_plain"),
    "NannyML with CBPE": ("nannyml", "nannyml_cbpe"),
    "Evidently": ("evidently", "evidently_reports"),
}
QUIET = {
    "WHYLOGS_NO_ANALYTICS": "True",
    "NML_DISABLE_USAGE_LOGGING": "1",
    "DO_NOT_TRACK": "1",
    "PYTHONWARNINGS": "ignore",
}
SIZES = {False: Size(days=10, rows=3_000), True: Size(days=30, rows=20_000)}
FIGURES = ["--stage", "ingest", "--stage", "statistics", "--stage", "metrics"]
TINY = Size(days=3, rows=600)


def environment(name: str) -> Path:
    """The interpreter of a peer's environment, made where it is missing or its requirements changed."""
    folder, needs = ENVIRONMENTS / name, HERE / "peers" / f"{name}.txt"
    wanted = needs.read_text()
    mark, python = folder / "made-from.txt", folder / "bin" / "python"
    if not mark.exists() or mark.read_text() != wanted:
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), "-r", str(needs)],
            check=True,
        )  # fmt: skip
        mark.write_text(wanted)
    return python


def commands(size: Size, only: set[str]) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Command and environment variables of each tool; FOLDER and OUT are put in by `measure`."""
    ours = dict(os.environ) | {"PYTHONPATH": str(HERE.parent)}
    here = ours | {"NIGHTJAR_HOME": "OUT", "NIGHTJAR_MODELS": "FOLDER/models"}
    nights = ["--from", "2025-01-01", "--to", str(size.last)]
    found: dict[str, tuple[list[str], dict[str, str]]] = {
        "bare scan": ([sys.executable, "-m", "benchmarks.scan", "FOLDER"], ours),
        "Nightjar": (
            [sys.executable, "-m", "jobs", "run", "workload", *nights],
            here,
        ),
        "Nightjar, figures only": (  # what the peers compute: no expected ranges, no incidents, no pages
            [sys.executable, "-m", "jobs", "run", "workload", *nights, *FIGURES],
            here,
        ),
    }
    for name, (place, script) in PEERS.items():
        if not only or name.lower().startswith(tuple(only)):
            python = str(environment(place)) if place else sys.executable
            found[name] = ([python, str(HERE / "peers" / f"{script}.py"), "FOLDER", "OUT"], ours | QUIET)
    return found


def measure(command: list[str], variables: dict[str, str], folder: Path, out: Path) -> tuple[Cost, float]:
    """Cost of one run, and MB written; the outputs are removed."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()

    def filled(text: str) -> str:
        return (
            text.replace("FOLDER", str(folder), 1) if text.startswith("FOLDER") else str(out) if text == "OUT" else text
        )

    placed = {name: filled(text) for name, text in variables.items()}
    cost = cost_of([filled(part) for part in command], placed, folder / "log.txt")
    written = size_of(out)
    shutil.rmtree(out)
    return cost, written


def table(found: dict[str, list[tuple[Cost, float]]]) -> str:
    """A Markdown table of medians."""
    lines = [
        "| tool | wall, s | CPU, s | peak memory, MB | written, MB | CPU / Nightjar's | memory / Nightjar's |",
        "|---|---|---|---|---|---|---|",
    ]
    medians = {
        name: [
            statistics.median(figures) for figures in zip(*((c.wall, c.cpu, c.peak, mb) for c, mb in runs), strict=True)
        ]
        for name, runs in found.items()
    }
    own = medians["Nightjar"]
    for name, (wall, cpu, peak, written) in medians.items():
        told = f"{wall:.1f} | {cpu:.1f} | {peak:,.0f} | {written:.1f} | {cpu / own[1]:.1f} | {peak / own[2]:.2f}"
        lines.append(f"| {name} | {told} |")
    return "\n".join(lines)


def main(full: bool, rounds: int, only: set[str]) -> None:
    size = SIZES[full]
    tools = commands(size, only)
    found: dict[str, list[tuple[Cost, float]]] = {name: [] for name in tools}
    with tempfile.TemporaryDirectory() as temporary:
        folder, tiny, out = Path(temporary) / "data", Path(temporary) / "tiny", Path(temporary) / "out"
        build(folder, size)
        build(tiny, TINY)
        for command, variables in commands(TINY, only).values():
            measure(command, variables, tiny, out)
        names = list(tools)
        for turn in range(rounds):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                found[name].append(measure(*tools[name], folder, out))
                cost = found[name][-1][0]
                print(
                    f"round {turn + 1}: {name}: {cost.cpu:.1f} CPU s, {cost.wall:.1f} s, {cost.peak:,.0f} MB",
                    file=sys.stderr,
                )
    print(f"\n{size.days} days x {size.rows:,} rows x {len(size.features)} features, median of {rounds}; {machine()}\n")
    print(table(found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Nightjar and the peers on one workload.")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="Names of peers, comma-separated; absent: all.")
    given = parser.parse_args()
    main(given.full, given.rounds, set(filter(None, given.only.lower().split(","))))
