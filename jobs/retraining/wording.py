"""A candidate's evaluation, for the people who read or approve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FIGURES = ("accuracy", "recall", "roc_auc", "log_loss")
MARK = {True: "passed", False: "REFUSED"}


def as_markdown(notes: Mapping[str, Any]) -> str:
    """Outcome first, then gates, figures, segments and importances; what is not known yet is left out."""
    parts = [
        f"# Candidate for {notes['model']}: {notes['key']}",
        _outcome(notes),
        f"Asked because: {notes['reason']}",
        _rows(notes),
        _table(
            "Gates", ("gate", "", "why"),
            [(one["name"], MARK[one["passed"]], one["reason"]) for one in notes.get("gates", [])],
        ),
        _figures(notes),
        _table(
            "Segments", ("segment", "metric", "n", "champion", "candidate", "difference, points", ""),
            [_segment(one) for one in notes.get("comparisons", []) if one["segment"] != "all"],
        ),
        _table(
            "What the features are worth (permutation importance on the later days)",
            ("feature", "share", "ROC AUC lost"),
            [(one["feature"], f"{one['share']:.3f}", f"{one['drop']:.4f}") for one in notes.get("importances", [])],
        ),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _outcome(notes: Mapping[str, Any]) -> str:
    found = notes.get("outcome")
    return f"**{found['stage']}: {found['state']}.** {found['reason']}" if found else ""


def _rows(notes: Mapping[str, Any]) -> str:
    said = [
        f"{name} on {rows['n']:,} rows of {rows['first']} to {rows['last']}"
        for name, rows in (("Trained", notes.get("trained")), ("compared", notes.get("compared")))
        if rows
    ]
    bound = f" It decides positive from a score of {notes['threshold']:.3f} on." if "threshold" in notes else ""
    return f"{', '.join(said)}; labels known by {notes['night']}.{bound}" if said else ""


def _figures(notes: Mapping[str, Any]) -> str:
    columns = {"candidate": notes.get("candidate"), "live answers": notes.get("champion")}
    columns |= {"champion in the registry": notes.get("registered_champion")}
    known = {name: figures for name, figures in columns.items() if figures}
    if not known:
        return ""
    rows = [("n", *(f"{figures['n']:,}" for figures in known.values()))]
    rows += [(metric, *(_three(figures[metric]) for figures in known.values())) for metric in FIGURES]
    return _table("Figures on the same later rows", ("", *known), rows)


def _segment(one: Mapping[str, Any]) -> tuple[str, ...]:
    known = one["lower"] is not None
    difference = f"{100 * one['lower']:+.1f} to {100 * one['upper']:+.1f}" if known else ""
    return (
        one["segment"], one["metric"], f"{one['n']:,}", _three(one["champion"]), _three(one["candidate"]), difference,
        one["reason"] or one["verdict"],
    )  # fmt: skip


def _three(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join([f"## {title}", "", *(f"| {' | '.join(line)} |" for line in lines)])
