"""What nobody has filled in stops staging and prod by its name, and a wrong host is no wait without an end."""

import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bundle.standin import PRODUCTION, SETTINGS, Deployment
from tools import bundle as words

REQUIRED = ("catalog", "service_principal", "engineers_group", "readers_group", "notification_email")
LEFT_IN = {
    "catalog": "CHANGE_ME",
    "service_principal": "00000000-0000-0000-0000-000000000000",
    "engineers_group": "",
    "readers_group": "<group>",
    "notification_email": "somebody@example.com",
    "warehouse_id": "change-me",
}


def without(deployment: Deployment, target: str, name: str) -> Deployment:
    settings = {key: value for key, value in deployment.settings.items() if key != name}
    return replace(deployment, target=target, settings=settings)


@pytest.mark.parametrize("target", PRODUCTION)
@pytest.mark.parametrize("name", REQUIRED)
def test_the_cli_itself_asks_production_for_what_is_missing(fresh: Deployment, target: str, name: str) -> None:
    said = without(fresh, target, name).cli("deploy", ok=False)
    assert f"no value assigned to required variable {name}" in said
    assert fresh.held()["jobs"] == []


def test_a_pull_requests_copy_is_asked_for_its_suffix(fresh: Deployment) -> None:
    assert "required variable suffix" in without(fresh, "test", "suffix").cli("deploy", ok=False)


def test_a_newcomer_is_asked_for_nothing_but_a_catalog_and_a_warehouse(fresh: Deployment) -> None:
    settings = {name: fresh.settings[name] for name in ("catalog", "warehouse_id")}
    newcomer = replace(fresh, target="dev", settings=settings, token="jane")  # noqa: S106 (a name)
    newcomer.cli("deploy")
    assert all(name.startswith("[dev tester] ") for name in newcomer.held()["jobs"])


def test_the_warehouse_of_new_workspaces_is_found_by_its_name(fresh: Deployment) -> None:
    bundle = without(fresh, "dev", "warehouse_id")
    assert "'Serverless Starter Warehouse' does not exist" in bundle.cli("validate", ok=False)
    made = bundle.post("/api/2.0/sql/warehouses", name="Serverless Starter Warehouse")
    bundle.cli("deploy")
    (dashboard,) = bundle.get("/api/2.0/lakeview/dashboards")["dashboards"]
    assert dashboard["warehouse_id"] == made["id"]


@pytest.mark.parametrize("name", LEFT_IN)
def test_a_placeholder_stops_production_by_its_name_and_is_a_warning_in_dev(fresh: Deployment, name: str) -> None:
    settings = {**fresh.settings, name: LEFT_IN[name]}
    for target in PRODUCTION:
        said = replace(fresh, target=target, settings=settings).make("deploy", ok=False)
        (error,) = (line for line in said.splitlines() if line.startswith("error: "))
        assert error.startswith(f"error: target {target} still has placeholders: ")
        assert f" {name} (" in error
    assert fresh.held()["jobs"] == []
    assert f"warning: {name} (" in replace(fresh, target="dev", settings=settings).make("validate")


@pytest.mark.parametrize("word", ["validate", "plan"])
def test_it_stops_those_who_only_look_too(fresh: Deployment, word: str) -> None:
    settings = {**fresh.settings, "catalog": "CHANGE_ME"}
    assert "placeholders: catalog (" in replace(fresh, target="prod", settings=settings).make(word, ok=False)


@pytest.fixture
def first_steps(fresh: Deployment) -> Iterator[Path]:
    """The list that `make new` leaves in a project."""
    steps = fresh.root / words.STEPS.name
    yield steps
    steps.unlink()


def test_first_steps_that_are_open_stop_production_by_their_names_and_dev_goes_on(
    fresh: Deployment, first_steps: Path
) -> None:
    first_steps.write_text("# First steps\n\n- [x] CI: one system\n- [ ] owners: a team\n- [ ] use case: your own\n")
    for target in PRODUCTION:
        said = replace(fresh, target=target).make("deploy", ok=False)
        assert f"error: target {target}: first steps are open (owners, use case): tick each in FIRST_STEPS.md" in said
    assert fresh.held()["jobs"] == []
    replace(fresh, target="dev").make("validate")
    first_steps.write_text(first_steps.read_text().replace("[ ]", "[x]"))
    replace(fresh, target="staging").make("validate")


HONEST = ("exchange_metrics", "interchange-merchants", "change_meals", "team@example.company", "a@examples.org")


@pytest.mark.parametrize("value", [*SETTINGS.values(), *HONEST, "dev", "main", "ml@shop.test", "0 0 5 * * ?"])
def test_what_a_team_would_write_is_no_placeholder(value: str) -> None:
    checked = {"variables": {"name": {"value": value}}, "workspace": {"host": "https://adb-1.azuredatabricks.net"}}
    assert list(words.placeholders(checked)) == []


def test_a_host_left_in_is_a_placeholder() -> None:
    checked = {"variables": {}, "workspace": {"host": "https://CHANGE_ME.cloud.databricks.com"}}
    assert [name for name, _ in words.placeholders(checked)] == ["host"]


@pytest.mark.parametrize(
    "word", ["validate", "plan", "deploy", "destroy", "bundle-run", "bundle-rollback", "slice-test", "smoke"]
)
def test_without_a_host_each_word_says_so_in_one_sentence(clone: Path, word: str) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATABRICKS")}
    done = subprocess.run(
        ["make", "--silent", word, "TARGET=test", "REASON=wrong since Monday"],
        cwd=clone,
        env={**environ, "DATABRICKS_CLI": "none"},
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode != 0
    assert len(errors) == 1
    assert errors[0].startswith("error: DATABRICKS_HOST is not set")


def test_a_smoke_run_without_a_moment_leaves_it_to_the_jobs(clone: Path) -> None:
    commands = subprocess.run(
        ["make", "--dry-run", "smoke", "TARGET=staging", "DATABRICKS_CLI=none"],
        cwd=clone,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert [command.split("--params")[1].strip() for command in commands if "--params" in command] == ["''", "''"]


@pytest.fixture
def dead_host() -> Iterator[str]:
    """The address of a host that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_host_that_does_not_answer_ends_in_a_sentence(
    dead_host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", dead_host)
    monkeypatch.setenv("DATABRICKS_TOKEN", "x")
    with pytest.raises(SystemExit):
        words.bundle("validate", "dev", timeout=2, capture=True)
    assert f"did not end in 2 s: does {dead_host} answer?" in capsys.readouterr().err
