"""Bars inside table cells; the numbers stand beside them, so screen readers skip them."""

from __future__ import annotations

from markupsafe import Markup

WIDTH = 120.0


def pair(expected: float, observed: float, most: float) -> Markup:
    """Observed as a bar, expected as a tick across it; `most` fills the width."""
    full = most or 1.0
    now, then = observed / full * (WIDTH - 4), expected / full * (WIDTH - 4)
    look = "ov" if observed > expected else "un"
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="bar" viewBox="0 0 {WIDTH:g} 14" aria-hidden="true" preserveAspectRatio="none">'
        f'<path d="M0 3h{now:.1f}v8H0z" class="{look}"/><path d="M{then + 1:.1f} 0v14" class="at"/></svg>'
    )


def gauge(value: float, limits: tuple[float, ...], most: float, level: int) -> Markup:
    """A value as a bar of its level's colour, its limits as ticks across."""
    full = most or 1.0
    ticks = "".join(f"M{limit / full * (WIDTH - 4) + 1:.1f} 0v14" for limit in limits if limit <= most)
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="bar" viewBox="0 0 {WIDTH:g} 14" aria-hidden="true" preserveAspectRatio="none">'
        f'<path d="M0 3h{max(min(value / full, 1), 0) * (WIDTH - 4):.1f}v8H0z" class="s{level}"/>'
        f'<path d="{ticks}" class="at"/></svg>'
    )


def both_ways(value: float, most: float) -> Markup:
    """An effect as a bar from the middle: to the left where it makes the whole worse, to the right where better."""
    half = WIDTH / 2
    wide = min(abs(value) / (most or 1.0), 1.0) * (half - 2)
    start, look = (half, "s-2") if value >= 0 else (half - wide, "s2")
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="bar" viewBox="0 0 {WIDTH:g} 14" aria-hidden="true" preserveAspectRatio="none">'
        f'<path d="M{start:.1f} 3h{wide:.1f}v8H{start:.1f}z" class="{look}"/>'
        f'<path d="M{half:g} 0v14" class="at"/></svg>'
    )
