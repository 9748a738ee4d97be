"""Every Airflow setting of the local Airflow, as environment variables, each with its reason."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.airflow.database import Database

PROJECT = Path(__file__).resolve().parents[2]
USER = "admin"


def environment(home: Path, port: int, database: Database, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of all four components. What is `given` in the environment already wins over our defaults."""
    given = os.environ if given is None else given
    airflow_home = home / "airflow"
    kept = _secrets(airflow_home / "secrets.json")
    url = f"http://127.0.0.1:{port}"
    defaults = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "dags" / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4" if database.parallel else "1",  # the default forks 32 workers at once
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",  # 5 s fails first tasks on a busy machine
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",  # nothing leaves the machine
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",  # more may be named, `admin` among them
    }
    fixed = {
        "AIRFLOW_HOME": str(airflow_home),
        "NIGHTJAR_HOME": str(home),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), given.get("PYTHONPATH", "")])),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database.url,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": kept["session"],
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API_AUTH__JWT_SECRET": kept["jwt"],  # one for all components, at least 64 bytes
        "AIRFLOW__CORE__FERNET_KEY": kept["fernet"],
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_file(home)),
    }
    inherited = {name: value for name, value in given.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**defaults, **inherited, **fixed}


def password_file(home: Path) -> Path:
    """Where the login's password is kept; delete it to get a new one."""
    return home / "airflow" / "passwords.json"


def password(home: Path) -> str:
    """The login's password, made at the first start."""
    path = password_file(home)
    if not path.exists():
        _write_privately(path, {USER: secrets.token_urlsafe(12)})
    return str(json.loads(path.read_text(encoding="utf-8"))[USER])


def _secrets(path: Path) -> dict[str, str]:
    """The keys that must stay the same from start to start, made at the first one."""
    if not path.exists():
        from cryptography.fernet import Fernet

        made = {
            "jwt": secrets.token_hex(64),
            "session": secrets.token_hex(32),
            "fernet": Fernet.generate_key().decode(),
        }
        _write_privately(path, made)
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _write_privately(path: Path, content: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")
