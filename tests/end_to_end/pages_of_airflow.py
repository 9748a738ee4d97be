"""A person with a browser at Airflow's own pages."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from datetime import date, datetime

    from playwright.sync_api import Locator, Page

expect.set_options(timeout=60_000)  # Airflow answers a backfill of many nights in seconds, on a busy machine in many
BEHAVIOURS = {"none": "Missing Runs", "failed": "Missing and Errored Runs", "completed": "All Runs"}


def log_in(page: Page, url: str, user: str, password: str, to: str = "/") -> None:
    """Ask for a page, be sent to the login, and come back to the page."""
    page.goto(url + to)
    page.locator("input[name=username]").fill(user)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda now: "/login" not in now)


def open_trigger_form(page: Page, url: str, dag_id: str) -> Locator:
    """The form behind the button Trigger on a DAG's page."""
    page.goto(f"{url}/dags/{dag_id}")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.locator("[role=dialog][aria-modal=true]")
    expect(form).to_be_visible()
    return form


def backfill(
    page: Page, url: str, dag_id: str, first: datetime, last: datetime, *, reprocess: str, parallel: int
) -> str:
    """Fill in the backfill form as the UI shows it and send it; returns what it says will be run."""
    form = open_trigger_form(page, url, dag_id)
    form.get_by_text("Run this Dag for a range of dates").click()
    for label, moment in (("From", first), ("To", last)):
        pick(page, form, label, moment)
    form.get_by_text(BEHAVIOURS[reprocess], exact=True).click()
    form.get_by_role("spinbutton").fill(str(parallel))
    button = form.get_by_role("button", name="Run Backfill")
    expect(button).to_be_enabled()
    said = form.inner_text()
    button.click()
    expect(form).to_be_hidden()
    return said


def pick(page: Page, form: Locator, label: str, moment: datetime) -> None:
    """Choose a moment in one of the form's two date fields, which count in UTC unless the user has set another zone."""
    form.get_by_test_id("datetime-input").nth(("From", "To").index(label)).click()
    calendar = page.locator("[data-scope=popover][data-part=content][data-state=open]")
    expect(calendar.get_by_text("UTC", exact=True)).to_be_visible()
    there = moment.astimezone(UTC)
    calendar.get_by_placeholder("YYYY/MM/DD").fill(f"{there:%Y/%m/%d}")
    calendar.get_by_placeholder("HH:mm").fill(f"{there:%H:%M}")
    form.get_by_role("heading").first.click()
    expect(calendar).to_be_hidden()


def start_bulk(page: Page, url: str, model: str, first: date, last: date) -> None:
    """Fill in the form of the pass over many nights and send it."""
    form = open_trigger_form(page, url, "bulk_backfill")
    form.get_by_role("combobox").click()
    page.get_by_role("option", name=model, exact=True).click()
    days = form.locator("input[type=date]")
    days.nth(0).fill(str(first))
    days.nth(1).fill(str(last))
    form.get_by_role("button", name="Trigger").click()
    expect(form).to_be_hidden()


def start_for_day(page: Page, url: str, dag_id: str, day: date) -> None:
    """Type a business day into the form of a single run and send it."""
    form = open_trigger_form(page, url, dag_id)
    form.locator("input[type=date]").fill(str(day))
    form.get_by_role("button", name="Trigger").click()
    expect(form).to_be_hidden()
