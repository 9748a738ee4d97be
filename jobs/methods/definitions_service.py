"""Definitions of the service and system layers beyond latency: how much, how fast, how often wrong, on how much."""

from __future__ import annotations

from jobs.methods.definition import Definition

_PROMETHEUS = "Prometheus: increase and avg_over_time of five minutes"

SERVICE: tuple[Definition, ...] = (
    Definition(
        "throughput", "service", "Predictions per second, over the day's length in the model's zone (23 to 25 hours).",
        harm="both", scale="positive", interval="", n="rows",
        source="a ratio", needs="service", witness="by hand", guarded=False,
    ),
    Definition(
        "peak_per_minute", "service",
        "Predictions in the busiest minute of the model's clock. The hour that a change of clocks repeats counts once.",
        harm="both", scale="count", interval="", n="rows",
        source="a count", needs="service", witness="by hand", guarded=False,
    ),
    Definition(
        "freshness_hours", "data",
        "Hours on the model's clock from the newest prediction to the end of the day.",
        harm="up", scale="positive", interval="", n="rows",
        source="a difference of times", needs="service", witness="by hand", guarded=False,
    ),
    Definition(
        "error_rate", "service", "Share of requests that failed, of those that say whether they did.",
        harm="up", scale="rate", interval="Wilson", n="requests",
        source="a proportion", needs="service", witness="by hand",
    ),
)  # fmt: skip

SYSTEM: tuple[Definition, ...] = (
    Definition(
        "cpu_cores", "system", "CPU seconds used per second, over the day's five-minute windows that were measured.",
        harm="up", scale="positive", interval="", n="windows",
        source=_PROMETHEUS, needs="system", witness="a real Prometheus with a counter of known slope", guarded=False,
    ),
    Definition(
        "cpu_cores_peak", "system", "The same in the busiest five minutes.",
        harm="up", scale="positive", interval="", n="windows",
        source=_PROMETHEUS, needs="system", witness="a real Prometheus with a counter of known slope", guarded=False,
    ),
    Definition(
        "memory_mb", "system", "Memory in use, in megabytes (10^6 bytes), over the windows that were measured.",
        harm="up", scale="positive", interval="", n="windows",
        source=_PROMETHEUS, needs="system", witness="a real Prometheus with a known gauge", guarded=False,
    ),
    Definition(
        "memory_mb_peak", "system", "The most memory in use at any measurement of the day, in megabytes.",
        harm="up", scale="positive", interval="", n="windows",
        source=_PROMETHEUS, needs="system", witness="a real Prometheus with a known gauge", guarded=False,
    ),
)  # fmt: skip
