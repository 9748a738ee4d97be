"""CPU and memory from a real Prometheus server, whose samples a test writes itself; and from servers that fail."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest

from jobs.engine.prometheus import QUERIES, usage
from jobs.errors import DataError
from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from collections.abc import Iterator

BERLIN = "Europe/Berlin"
CPU, MEMORY = 'process_cpu_seconds_total{job="kiosk"}', 'process_resident_memory_bytes{job="kiosk"}'
HOUR = 3600
WHOLE, PARTIAL, SHORT = date(2025, 3, 28), date(2025, 3, 29), date(2025, 3, 30)
"""The last is 23 hours long in Berlin; the second was measured for its first six hours only."""


def midnight(of: date) -> int:
    return int(datetime(of.year, of.month, of.day, tzinfo=ZoneInfo(BERLIN)).timestamp())


def samples() -> Iterator[str]:
    """Two replicas, a sample a minute. Together 1.5 cores; from noon to one o'clock of the first day twice that."""
    spans = ((midnight(WHOLE), 24 * HOUR), (midnight(PARTIAL), 6 * HOUR), (midnight(SHORT), 23 * HOUR))
    moments = [start + offset for start, length in spans for offset in range(0, length, 60)]
    busy = midnight(WHOLE) + 12 * HOUR
    yield "# TYPE process_cpu_seconds counter"
    for replica, cores in (("a", 1.0), ("b", 0.5)):
        for moment in moments:
            seconds = cores * (moment - moments[0] + min(max(moment - busy, 0), HOUR))
            yield f'process_cpu_seconds_total{{job="kiosk",replica="{replica}"}} {seconds} {moment}'
    yield "# TYPE process_resident_memory_bytes gauge"
    for replica in ("a", "b"):
        for moment in moments:
            used = 300e6 if moment == busy else 200e6
            yield f'process_resident_memory_bytes{{job="kiosk",replica="{replica}"}} {used} {moment}'
    yield "# EOF"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus of Debian on a free port, with its own folder and nothing to scrape."""
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        pytest.fail("there is no prometheus on this machine; install the package of that name")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "samples.txt").write_text("\n".join(samples()) + "\n")
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1m}\n")
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "samples.txt"), str(folder / "data")]
    subprocess.run(made, check=True, timeout=120, capture_output=True)
    port = free_port()
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y"],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield _ready(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _ready(url: str, process: subprocess.Popen[bytes]) -> str:
    for _ in range(150):
        try:
            with urlopen(f"{url}/-/ready", timeout=2) as answer:  # noqa: S310 - loopback
                if answer.status == 200:
                    return url
        except (URLError, OSError):
            assert process.poll() is None, "prometheus has ended"
        time.sleep(0.2)
    raise AssertionError("prometheus was not ready within 30 s")


@pytest.mark.slow
def test_cores_and_megabytes_of_a_whole_day_are_those_that_were_written(server: str) -> None:
    cpu = usage(server, "cpu", CPU, WHOLE, BERLIN)
    assert (cpu.windows, cpu.expected) == (288, 288)
    assert cpu.mean == pytest.approx(1.5 + 1.5 / 24, rel=0.005)
    assert cpu.peak == pytest.approx(3.0, rel=0.005)
    memory = usage(server, "memory", MEMORY, WHOLE, BERLIN)
    assert memory.peak == 600e6
    assert memory.mean == pytest.approx(400e6, rel=0.001)


@pytest.mark.slow
def test_a_day_measured_for_six_hours_says_so_and_keeps_its_cores(server: str) -> None:
    """`rate(x[1d])` would divide the six hours by twenty-four: 0.375 cores instead of 1.5."""
    cpu = usage(server, "cpu", CPU, PARTIAL, BERLIN)
    assert cpu.windows / cpu.expected == pytest.approx(0.25, abs=0.01)
    assert cpu.mean == pytest.approx(1.5, rel=0.01)


@pytest.mark.slow
def test_the_day_of_the_change_of_clocks_has_23_hours(server: str) -> None:
    cpu = usage(server, "cpu", CPU, SHORT, BERLIN)
    assert (cpu.windows, cpu.expected) == (276, 276)


@pytest.mark.slow
def test_a_day_without_samples_and_a_query_that_is_none_are_told(server: str) -> None:
    with pytest.raises(DataError, match="has no samples of process_cpu_seconds_total"):
        usage(server, "cpu", CPU, date(2025, 2, 1), BERLIN)
    with pytest.raises(DataError, match=r"refuses .*parse error"):
        usage(server, "cpu", "process{", WHOLE, BERLIN)


@pytest.mark.slow
def test_a_night_has_the_usage_of_its_day_and_keeps_it_when_the_server_has_gone(server: str, kiosk: Kiosk) -> None:
    kiosk.changes |= {
        "start": WHOLE, "timezone": BERLIN, "prometheus": {"url": server, "cpu": CPU, "memory": MEMORY},
    }  # fmt: skip
    nights = days(87, 88)  # 28 and 29 March 2025
    assert (nights.first, nights.last) == (WHOLE, PARTIAL)
    for number in (87, 88):
        kiosk.predict(number, ["a", "b"])
    kiosk.run(nights, "ingest", "statistics", "metrics")
    found = "SELECT metric, ROUND(value, 2), n, state, reason FROM metrics WHERE layer = 'system' AND day = "
    whole = {row[0]: row[1:] for row in kiosk.rows(f"{found} '{WHOLE}'")}
    assert whole["cpu_cores"] == (1.56, 288, "final", None)
    assert whole["memory_mb_peak"] == (600.0, 288, "final", None)
    partial = {row[0]: row[1:] for row in kiosk.rows(f"{found} '{PARTIAL}'")}
    assert partial["cpu_cores"][2:] == ("not_evaluated", "measured for 25% of the day, 80% needed")
    before = kiosk.table("system_usage")
    kiosk.changes["prometheus"] = {"url": "http://127.0.0.1:9", "cpu": CPU, "memory": MEMORY}
    kiosk.run(nights, "ingest", "statistics", "metrics")
    assert kiosk.table("system_usage").equals(before)


def test_a_server_that_cannot_be_reached_does_not_lose_the_night(kiosk: Kiosk) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    kiosk.changes["prometheus"] = {"url": url, "cpu": CPU, "memory": MEMORY}
    kiosk.predict(1, ["a"])
    summary = kiosk.run(days(1, 2), "ingest", "statistics", "metrics")[0]
    assert kiosk.rows("SELECT n FROM prediction_statistics WHERE segment = 'all' AND version = 'all'") == [(1,)]
    assert len(summary.notes) == 2, "one a resource, not one a day"
    assert "(2 days, 2025-01-01 to 2025-01-02)" in summary.notes[0]
    told = kiosk.rows("SELECT metric, value, state, reason FROM metrics WHERE layer = 'system' AND day = '2025-01-01'")
    assert {row[0] for row in told} == {"cpu_cores", "cpu_cores_peak", "memory_mb", "memory_mb_peak"}
    assert all(
        value is None and state == "not_evaluated" and "cannot be reached" in reason for _, value, state, reason in told
    )


class Page(BaseHTTPRequestHandler):
    """A web page that is no Prometheus, until `healed`: then it answers 2 at every moment."""

    healed = False

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        asked = {
            name: float(values[0]) for name, values in parse_qs(urlsplit(self.path).query).items() if name != "query"
        }
        body = "<html>hello</html>"
        if self.healed:
            moments = range(int(asked["start"]), int(asked["end"]) + 1, int(asked["step"]))
            body = json.dumps({"data": {"result": [{"values": [[moment, "2"] for moment in moments]}]}})
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def web_page() -> Iterator[str]:
    made = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()
    thread.join(timeout=5)


@pytest.mark.parametrize("resource", list(QUERIES))
def test_an_answer_that_is_not_prometheus_is_refused_with_a_reason(web_page: str, resource: str) -> None:
    with pytest.raises(DataError, match="does not answer as Prometheus does"):
        usage(web_page, resource, CPU, WHOLE, BERLIN)


def test_a_figure_known_only_on_a_second_try_reopens_its_night(
    kiosk: Kiosk, web_page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.changes["prometheus"] = {"url": web_page, "cpu": CPU}
    for number in (1, 2):
        kiosk.predict(number, ["a"])
    kiosk.run(days(1, 2), "ingest", "statistics", "metrics")
    found = "SELECT day, value FROM metrics WHERE metric = 'cpu_cores' ORDER BY day"
    assert kiosk.rows(found) == [(day(1), None), (day(2), None)]
    monkeypatch.setattr(Page, "healed", True)
    kiosk.run(days(2, 2), "ingest")  # and the day before is asked for with it
    assert kiosk.rows("SELECT COUNT(*) FROM progress WHERE stage = 'metrics'") == [(0,)]
    kiosk.run(days(2, 2), "metrics")
    assert kiosk.rows(found) == [(day(1), 2.0), (day(2), 2.0)]
