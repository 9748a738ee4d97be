"""Tells Airflow about our timetable, so that scheduler and API server can read it back from a stored DAG."""

from airflow.plugins_manager import AirflowPlugin

from dags.nights import Nightly


class NightjarTimetables(AirflowPlugin):
    """Picked up from Airflow's plugins folder."""

    name = "nightjar_timetables"
    timetables = [Nightly]  # noqa: RUF012 - Airflow's own way to declare them
