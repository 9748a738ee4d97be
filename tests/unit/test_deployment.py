"""The units that a server is set up with start what exists, with settings that somebody reads."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from deploy.airflow.settings import environment
from deploy.airflow.start import COMPONENTS
from jobs.cli import main

UNITS = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
GIVEN = dict(
    line.split("=", 1)
    for line in (UNITS / "nightjar.env").read_text().splitlines()
    if line and not line.startswith("#")
)


def unit(name: str) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / name)
    return parser


def test_the_target_wants_every_component_that_a_laptop_starts() -> None:
    wanted = set(re.findall(r"nightjar-airflow@([\w-]+)\.service", (UNITS / "nightjar-airflow.target").read_text()))
    assert wanted == set(COMPONENTS)


@pytest.mark.parametrize("name", ["nightjar-health.service", "nightjar-backup.service"])
def test_each_command_of_ours_exists_with_its_options(name: str) -> None:
    program, command, *arguments = shlex.split(unit(name)["Service"]["ExecStart"])
    assert Path(program).name == "nightjar"
    known = {option for parameter in main.commands[command].params for option in parameter.opts}
    assert {one for one in arguments if one.startswith("--")} <= known
    for variable in re.findall(r"\$\{(\w+)\}", " ".join(arguments)):
        assert variable in GIVEN


def test_every_timer_has_its_service_and_every_service_the_same_settings() -> None:
    for timer in UNITS.glob("*.timer"):
        assert timer.with_suffix(".service").exists()
    files = {unit(path.name)["Service"]["EnvironmentFile"] for path in UNITS.glob("*.service")}
    assert files == {"/etc/nightjar/nightjar.env"}


def test_the_timer_asks_every_hour_because_a_night_is_late_at_another_one_in_every_zone() -> None:
    asked = unit("nightjar-health.timer")["Timer"]["OnCalendar"]
    assert re.fullmatch(r"(\*-\*-\* )?\*:[0-5]\d(:00)?|hourly", asked)


def test_what_the_page_says_to_type_runs_with_the_services_settings_and_its_own_programs(tmp_path: Path) -> None:
    """The shell function as the page has it, with only the user's change left out, because that needs root."""
    page = (UNITS.parents[1] / "docs" / "deployment.md").read_text(encoding="utf-8")
    (function,) = re.findall(r"^as_nightjar\(\) .*$", page, flags=re.MULTILINE)
    assert "exec /usr/sbin/runuser -u nightjar -- " in function
    settings = (UNITS / "nightjar.env").read_text(encoding="utf-8").replace("/opt/nightjar", str(tmp_path))
    (tmp_path / "settings.env").write_text(settings + "ODD='a b&c'\n", encoding="utf-8")
    airflow = tmp_path / ".venv" / "bin" / "airflow"
    airflow.parent.mkdir(parents=True)
    airflow.write_text("#!/bin/sh\npwd; echo $*; env\n", encoding="utf-8")
    airflow.chmod(0o755)
    function = function.replace("/opt/nightjar", str(tmp_path)).replace("/usr/sbin/runuser -u nightjar -- ", "")
    function = function.replace("/etc/nightjar/nightjar.env", str(tmp_path / "settings.env"))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{function}\nas_nightjar airflow db migrate"],
        capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    where, what, *given = done.stdout.splitlines()
    assert (where, what) == (str(tmp_path), "db migrate")
    variables = dict(line.split("=", 1) for line in given if "=" in line)
    expected = {name: value.replace("/opt/nightjar", str(tmp_path)) for name, value in GIVEN.items()}
    assert {name: variables.get(name) for name in expected} == expected
    assert variables["ODD"] == "a b&c"


def test_what_the_page_installs_is_where_the_settings_look(tmp_path: Path) -> None:
    """Its lines that make and fill folders, run below another root and without owners, because those need root."""
    page = (UNITS.parents[1] / "docs" / "deployment.md").read_text(encoding="utf-8")
    lines = re.findall(r"^(?:install|cp) .*$", page, flags=re.MULTILINE)
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "shop.yaml").write_text("model: shop\n", encoding="utf-8")
    (tmp_path / "etc" / "systemd" / "system").mkdir(parents=True)  # is on every server
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt" / "nightjar").symlink_to(UNITS.parents[1])
    script = re.sub(r" -[og] nightjar", "", "\n".join(lines)).replace("YOUR-SPECS", str(specs))
    script = re.sub(r"(?<= )/(?=opt|etc|var)", f"{tmp_path}/", script)
    subprocess.run(["/bin/sh", "-ec", script], check=True, env={"PATH": "/usr/bin:/bin"})
    assert {one.name for one in (tmp_path / GIVEN["NIGHTJAR_MODELS"][1:]).iterdir()} == {"shop.yaml"}
    assert (tmp_path / GIVEN["NIGHTJAR_HOME"][1:]).is_dir()
    assert (tmp_path / GIVEN["NIGHTJAR_BACKUP"][1:]).is_dir()
    assert (tmp_path / "etc" / "nightjar" / "nightjar.env").stat().st_mode & 0o777 == 0o640
    installed = {one.name for one in (tmp_path / "etc" / "systemd" / "system").iterdir()}
    assert installed == {one.name for one in UNITS.glob("nightjar-*")}


def test_the_page_types_no_command_without_the_services_settings() -> None:
    page = (UNITS.parents[1] / "docs" / "deployment.md").read_text(encoding="utf-8")
    typed = "\n".join(re.findall(r"^```\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL))
    typed += "\n".join(re.findall(r"^\d\. .*$", page, flags=re.MULTILINE))
    ours = re.findall(r"(\S+) (?:airflow|nightjar) (?:db|backup|restore|validate|health)\b", typed)
    assert len(ours) >= 7
    assert {one.strip("`") for one in ours} == {"as_nightjar"}
    assert not re.search(r"(?<!-- )\bcreate(user|db)\b", typed)  # root has no role in PostgreSQL


def test_the_page_names_the_wait_that_is_told() -> None:
    from jobs.engine.warehouse import WAIT_SECONDS

    page = (UNITS.parents[1] / "docs" / "deployment.md").read_text(encoding="utf-8")
    assert re.findall(r"waited (\d+) s", page) == [f"{WAIT_SECONDS:.0f}"]


def test_a_server_sets_what_a_laptop_sets(tmp_path: Path) -> None:
    """Except what only a laptop needs: its made-up password, faster looking at files, fewer API workers."""
    from deploy.airflow.database import Database

    laptop = environment(tmp_path, 8080, Database("postgresql+psycopg2://u@h/d"), given={})
    laptop_only = {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL", "AIRFLOW__API__WORKERS", "AIRFLOW__LOGGING__LOGGING_LEVEL",
    }  # fmt: skip
    assert set(laptop) - laptop_only <= set(GIVEN)


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify`, with programs and user that exist here put in the place of a server's."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.fail("this test needs systemd-analyze; on Debian: apt-get install systemd")
    for path in UNITS.glob("nightjar-*"):
        text = re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", path.read_text())
        (tmp_path / path.name).write_text(text.replace("WorkingDirectory=/opt/nightjar", "WorkingDirectory=/"))
    (tmp_path / "nightjar-airflow@scheduler.service").write_text((tmp_path / "nightjar-airflow@.service").read_text())
    units = [str(path) for path in tmp_path.glob("*") if path.name != "nightjar-airflow@.service"]
    said = subprocess.run([program, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    ours = [line for line in said.stderr.splitlines() if "nightjar" in line and "Unknown key" in line]
    assert ours == []
