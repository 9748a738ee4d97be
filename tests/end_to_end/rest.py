"""A person at Airflow's REST API."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

OVER = ("success", "failed")


@dataclass(frozen=True)
class Rest:
    """Calls with the login of one user."""

    url: str
    token: str

    @classmethod
    def log_in(cls, url: str, user: str, password: str) -> Rest:
        answer = cls(url, "").post("/auth/token", {"username": user, "password": password})
        return cls(url, answer["access_token"])

    def get(self, path: str) -> Any:
        return self._call("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("POST", path, body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path, None)

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the Airflow under test
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"}
            | ({"Authorization": f"Bearer {self.token}"} if self.token else {}),
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")  # of a deletion nothing is said
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path} answered {error.code}: {error.read().decode()}") from None

    # what a person does with it -------------------------------------------------------------------------------

    def switch_on(self, dag_id: str) -> None:
        self.patch(f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def trigger(self, dag_id: str, logical_date: str | None, conf: dict[str, Any] | None = None) -> str:
        body = {"logical_date": logical_date, "conf": conf or {}}
        return str(self.post(f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str) -> None:
        """What a person clicks on the page of required actions."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{task_id}/-1/hitlDetails"
        self.patch(path, {"chosen_options": [option], "params_input": {}})

    def clear(self, dag_id: str, run_id: str) -> None:
        self.post(f"{_run(dag_id, run_id)}/clear", {"dry_run": False, "only_failed": False})

    def backfill(self, dag_id: str, first: str, last: str) -> int:
        body = {
            "dag_id": dag_id, "from_date": first, "to_date": last,
            "reprocess_behavior": "completed", "max_active_runs": 2,
        }  # fmt: skip
        return int(self.post("/api/v2/backfills", body)["id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        return list(self.get(f"/api/v2/dags/{dag_id}/dagRuns?limit=100")["dag_runs"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        return dict(self.get(_run(dag_id, run_id)))

    def states(self, dag_id: str, run_id: str) -> dict[str, str]:
        found = self.get(f"{_run(dag_id, run_id)}/taskInstances?limit=100")["task_instances"]
        return {one["task_id"]: one["state"] for one in found}

    def returned(self, dag_id: str, run_id: str, task_id: str) -> Any:
        value = self.get(f"{_run(dag_id, run_id)}/taskInstances/{task_id}/xcomEntries/return_value?deserialize=true")
        return value["value"]

    def asset_events(self, what: str) -> list[dict[str, Any]]:
        """The events of the assets of every model that end in `what`."""
        found = self.get("/api/v2/assets/events?limit=100")["asset_events"]
        return [event for event in found if event["uri"].endswith(f"/{what}")]

    def log(self, dag_id: str, run_id: str, task_id: str, attempt: int = 1) -> str:
        """A task's log; attempt 0 is the last one."""
        attempt = attempt or int(self.get(f"{_run(dag_id, run_id)}/taskInstances/{task_id}")["try_number"])
        return json.dumps(self.get(f"{_run(dag_id, run_id)}/taskInstances/{task_id}/logs/{attempt}?full_content=true"))

    def wait_for(self, dag_id: str, run_id: str, seconds: float = 300) -> str:
        """The state in which a run ended."""
        deadline = time.monotonic() + seconds
        while (state := self.run(dag_id, run_id)["state"]) not in OVER:
            assert time.monotonic() < deadline, f"{run_id} is {state}: {self.states(dag_id, run_id)}"
            time.sleep(1)
        return str(state)


def _run(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id, safe='')}"
