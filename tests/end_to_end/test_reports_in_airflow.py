"""The reports in Airflow's own pages: who gets them, who does not, and how they look and work in a real browser."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.end_to_end import people
from tests.end_to_end.house import NIGHT, House, house
from tests.end_to_end.pages_of_airflow import log_in, start_for_day
from tests.end_to_end.rest import Rest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

SITE = "/nightjar/reports"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An Airflow in which the newest night of `till` ran by schedule, and `desk` has reports too."""
    from jobs.periods import Period
    from jobs.pipeline import run
    from jobs.spec.reading import load_spec

    with house(tmp_path_factory.mktemp("pages")) as running:
        before = running.newest - timedelta(days=1)
        list(run(load_spec(running.models / "desk.yaml"), Period(before, running.newest), running.home))
        running.rest.switch_on(NIGHT)
        deadline = time.monotonic() + 120
        while not (runs := running.runs()):
            assert time.monotonic() < deadline, "the scheduler made no run"
            time.sleep(1)
        assert running.rest.wait_for(NIGHT, runs[0]["dag_run_id"], 600) == "success"
        yield running


@pytest.fixture(scope="module")
def scheduled(home: House) -> str:
    return str(home.runs()[-1]["dag_run_id"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with screen.browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Any, home: House) -> Iterator[Page]:
    """A browser in which the administrator is logged in; what its console complains about ends in `page.said`."""
    context = browser.new_context(viewport={"width": 1400, "height": 950})
    shown = context.new_page()
    log_in(shown, home.local.url, home.local.user, home.local.password)
    shown.said = []
    shown.on("console", lambda message: shown.said.append(message.text) if message.type == "error" else None)
    yield shown
    context.close()


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Message
    text: str


def ask(home: House, path: str, user: str | None = None, **headers: str) -> Answer:
    """One request, its path exactly as given: no client of ours tidies it up."""
    at = urlsplit(home.local.url)
    if user:
        token = Rest.log_in(home.local.url, user, home.password_of(user)).token
        headers["Cookie"] = f"_token={token}"
    with closing(http.client.HTTPConnection(str(at.hostname), at.port, timeout=60)) as connection:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode(errors="replace"))


def ways(home: House, run_id: str) -> list[str]:
    return [
        "/nightjar/",
        f"{SITE}/index.html",
        f"{SITE}/till/index.html",
        f"{SITE}/till/{home.newest}/index.html",
        f"/nightjar/runs/{NIGHT}/{quote(run_id)}",
    ]


# who may -----------------------------------------------------------------------------------------------------------


def test_who_is_not_logged_in_is_refused_or_sent_to_the_login(home: House, scheduled: str) -> None:
    for way in ways(home, scheduled):
        assert ask(home, way).status == 401, way
        answer = ask(home, way, Accept="text/html")
        assert answer.status == 307
        assert str(answer.headers["Location"]) == f"/api/v2/auth/login?next={quote(way, safe='')}"


def test_a_forged_login_is_refused(home: House, scheduled: str) -> None:
    for way in ways(home, scheduled):
        assert ask(home, way, Cookie="_token=forged").status in (401, 403), way


def test_a_user_without_rights_gets_403_everywhere(home: House, scheduled: str) -> None:
    for way in ways(home, scheduled):
        answer = ask(home, way, people.STRANGER)
        assert answer.status == 403, way
        assert "svg" not in answer.text


def test_who_may_read_one_dag_sees_that_model_and_no_trace_of_another(home: House, scheduled: str) -> None:
    clerk = people.CLERK
    for way in ways(home, scheduled)[1:4]:
        assert ask(home, way, clerk).status == 200, way
    assert ask(home, f"/nightjar/runs/{NIGHT}/{quote(scheduled)}", clerk).status == 307
    for way in (f"{SITE}/desk/index.html", f"{SITE}/desk/{home.newest}/index.html", f"{SITE}/desk/gone.html"):
        assert ask(home, way, clerk).status == 403, way
    assert ask(home, "/nightjar/runs/monitor_desk/anything", clerk).status == 403
    everyone = ask(home, f"{SITE}/index.html", home.local.user).text
    assert "desk" in everyone
    assert everyone == (home.home / "reports" / "index.html").read_text(encoding="utf-8")
    theirs = ask(home, f"{SITE}/index.html", clerk)
    assert "script-src 'sha256-" in str(theirs.headers["Content-Security-Policy"])
    assert "till" in theirs.text
    assert "desk" not in theirs.text


# what is handed out ------------------------------------------------------------------------------------------------


def test_pages_are_served_strictly_and_asked_for_again_only_when_they_changed(home: House) -> None:
    answer = ask(home, f"{SITE}/till/{home.newest}/index.html", home.local.user)
    policy = str(answer.headers["Content-Security-Policy"])
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    assert policy.endswith("frame-ancestors 'self'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    tag = str(answer.headers["ETag"])
    again = ask(home, f"{SITE}/till/{home.newest}/index.html", home.local.user, If_None_Match=tag)
    assert (again.status, again.text) == (304, "")


def test_no_path_leads_out_of_the_folder_of_reports(home: House) -> None:
    secret = home.home / "secret.html"
    secret.write_text("what nobody may read", encoding="utf-8")
    night = home.home / "reports" / "till" / str(home.newest)
    (night / "link.html").symlink_to(secret)
    (home.home / "reports" / "linked").symlink_to(home.home)
    paths = [
        f"{SITE}/till/../../secret.html",
        f"{SITE}/till/..%2f..%2fsecret.html",
        f"{SITE}/till/%2e%2e/%2e%2e/secret.html",
        f"{SITE}/till/..%252f..%252fsecret.html",
        f"{SITE}/till/..\\..\\secret.html",
        f"{SITE}/till/{home.newest}/link.html",
        f"{SITE}/linked/secret.html",
        f"{SITE}/..%2fsecret.html/x.html",
        f"{SITE}/till//{quote(str(secret))}",
        f"{SITE}/till/nights.json",
        f"{SITE}/till/state.json",
        f"{SITE}/till/{home.newest}/index.html%00.png",
        "/nightjar/../../secret.html",
        "/nightjar/openapi.json",
        "/nightjar/docs",
    ]
    for path in paths:
        answer = ask(home, path, home.local.user)
        # what the server tidies up itself ends at Airflow's own page, which answers 200 to anything
        assert answer.status == 404 or "<title>Airflow</title>" in answer.text, (path, answer.status)
        assert "what nobody" not in answer.text
    (night / "link.html").unlink()
    (home.home / "reports" / "linked").unlink()


@pytest.mark.parametrize(
    ("logical", "conf", "days_before"),
    [(True, {}, 0), (None, {"day": "-3"}, 3), (True, {"day": "-5"}, 5)],
    ids=["by hand", "typed, without a logical date", "typed"],
)
def test_a_run_leads_to_the_page_of_its_business_day_however_it_was_started(
    home: House, logical: bool | None, conf: dict[str, str], days_before: int
) -> None:
    day = home.newest - timedelta(days=days_before)
    asked = {"day": str(day)} if conf else {}
    run_id = home.rest.trigger(NIGHT, datetime.now(UTC).isoformat() if logical else None, asked)
    answer = ask(home, f"/nightjar/runs/{NIGHT}/{quote(run_id)}", home.local.user)
    assert (answer.status, answer.headers["Location"]) == (307, f"../../reports/till/{day}/index.html")


def test_a_day_typed_into_the_form_in_the_browser_is_the_runs_business_day(page: Page, home: House) -> None:
    before = {run["dag_run_id"] for run in home.runs()}
    day = home.newest - timedelta(days=7)
    start_for_day(page, home.local.url, NIGHT, day)
    (run_id,) = {run["dag_run_id"] for run in home.runs()} - before
    assert _worked_on(home, run_id) == str(day)
    answer = ask(home, f"/nightjar/runs/{NIGHT}/{quote(run_id)}", home.local.user)
    assert answer.headers["Location"] == f"../../reports/till/{day}/index.html"


def test_a_backfill_from_the_command_line_works_on_the_days_between_its_moments(home: House) -> None:
    first, last = home.newest - timedelta(days=9), home.newest - timedelta(days=8)
    scheduler = Path(f"/proc/{home.local.processes['scheduler'].pid}/environ").read_bytes()
    variables = dict(one.split("=", 1) for one in scheduler.decode().split("\0") if one)
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "airflow"), "backfill", "create", "--dag-id", NIGHT,
            "--from-date", home.midnight(first).isoformat(), "--to-date", home.midnight(last).isoformat(),
        ],
        env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    made = [run["dag_run_id"] for run in home.runs() if run["run_type"] == "backfill"]
    assert [_worked_on(home, run_id) for run_id in made] == [str(first), str(last)]


def _worked_on(home: House, run_id: str) -> str:
    """The day that a run's first task says it worked on."""
    deadline = time.monotonic() + 420
    while home.rest.states(NIGHT, run_id).get("ingest") != "success":
        assert time.monotonic() < deadline, home.rest.states(NIGHT, run_id)
        time.sleep(1)
    return str(home.rest.returned(NIGHT, run_id, "ingest")["day"])


def test_a_run_without_a_day_or_a_page_says_why_there_is_nothing(home: House) -> None:
    run_id = home.rest.trigger(NIGHT, None)
    answer = ask(home, f"/nightjar/runs/{NIGHT}/{quote(run_id)}", home.local.user)
    assert answer.status == 404
    assert "start it with the parameter `day`" in answer.text
    for path, said in (
        (f"runs/{NIGHT}/gone", "has no run gone"),
        ("reports/till/2001-01-01/index.html", "no such page"),
    ):
        answer = ask(home, f"/nightjar/{path}", home.local.user)
        assert (answer.status, said in answer.text) == (404, True)


# in a browser ------------------------------------------------------------------------------------------------------


def test_the_navigation_leads_to_the_site_and_its_links_work_inside_airflow(page: Page, home: House) -> None:
    page.goto(home.local.url)
    page.get_by_role("link", name="Nightjar", exact=True).click()
    inside = page.frame_locator("iframe[title=Nightjar]")
    expect(inside.get_by_role("heading", level=1)).to_contain_text("need")
    inside.get_by_role("link", name="till").first.click()
    expect(inside.get_by_role("heading", name="Calendar")).to_be_visible()
    inside.locator(f"#n{home.newest}").click()
    expect(inside.locator("#wrong")).to_be_visible()
    page.wait_for_url(f"**/nightjar/reports/till/{home.newest}/index.html")  # can be copied and comes back
    inside.get_by_role("link", name="Drift", exact=True).first.click()
    expect(inside.locator("#drift table.sortable th button").first).to_be_visible()  # the page's own script ran
    assert page.said == []


def test_the_run_has_a_tab_with_its_report(page: Page, home: House, scheduled: str) -> None:
    page.goto(f"{home.local.url}/dags/{NIGHT}/runs/{quote(scheduled)}")
    page.get_by_role("link", name="Report", exact=True).click()
    inside = page.frame_locator("iframe[title=Report]")
    expect(inside.locator("#wrong")).to_be_visible()
    assert any(frame.url.endswith(f"/reports/till/{home.newest}/index.html") for frame in page.frames)
    assert page.said == []


def test_the_tasks_have_buttons_that_lead_to_the_report_and_its_incidents(
    page: Page, home: House, scheduled: str
) -> None:
    for task, name, ends in (("report", "Report", "index.html"), ("incidents", "Incidents", "index.html#wrong")):
        page.goto(f"{home.local.url}/dags/{NIGHT}/runs/{quote(scheduled)}/tasks/{task}/details")
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_url(f"**{SITE}/till/{home.newest}/{ends}")
        expect(page.locator("#wrong")).to_be_visible()


def test_what_data_smuggled_into_a_page_runs_no_script(page: Page, home: House) -> None:
    night = home.home / "reports" / "till" / str(home.newest)
    good = (night / "index.html").read_text(encoding="utf-8")
    attack = "<script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'taken over'\">"
    (night / "attack.html").write_text(good.replace("<main id", f"{attack}<main id"), encoding="utf-8")
    page.goto(f"{home.local.url}{SITE}/till/{home.newest}/attack.html")
    assert "taken over" not in page.title()
    assert any("Content Security Policy" in said for said in page.said)
    expect(page.locator("#wrong")).to_be_visible()
    assert page.locator("table.sortable th button").count()  # the page's own script still did


def test_a_link_from_a_mail_goes_through_the_login_to_its_page(browser: Any, home: House) -> None:
    context = browser.new_context()
    opened = context.new_page()
    link = f"{SITE}/till/{home.newest}/index.html"
    log_in(opened, home.local.url, home.local.user, home.local.password, to=link)
    opened.wait_for_url(f"{home.local.url}{link}")
    expect(opened.locator("#wrong")).to_be_visible()
    context.close()
