"""A team that has no workspace yet is green, and told what is skipped; one that has set half of it is red, by name."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.cicd.conftest import Rehearsal
from tests.cicd.settings import SETTINGS
from tests.cicd.system import Event
from tests.cicd.test_rehearsal import CHANGE, open_pull_request, started

PULL_REQUEST, STAGING = "pull_request.yml", "staging.yml"
# Of the jobs that need no workspace, those that need no time either.
QUICK = ("changes", "has_workspace", "required")


def with_settings(rehearsal: Rehearsal, settings: Mapping[str, Mapping[str, str]]) -> Rehearsal:
    """The same team with other variables. On Azure the group is there even so: a run can't name one that is not."""
    return replace(rehearsal, system=type(rehearsal.system)(settings))


def event_of(rehearsal: Rehearsal, file: str) -> Event:
    if file == PULL_REQUEST:
        return open_pull_request(rehearsal, 30, CHANGE)
    return Event("push", rehearsal.origin.head("refs/heads/main"))


@pytest.mark.parametrize(("file", "skipped"), [(PULL_REQUEST, {"plan", "workspace"}), (STAGING, {"deploy", "green"})])
def test_without_a_workspace_what_needs_one_is_skipped_with_a_notice(
    rehearsal: Rehearsal, file: str, skipped: set[str]
) -> None:
    newcomer = with_settings(rehearsal, {name: {} for name in SETTINGS})
    event, green = event_of(newcomer, file), newcomer.origin.head("refs/heads/green")
    outcome = newcomer.run(file, event, jobs=(*QUICK, *skipped))
    assert outcome.green, outcome
    assert {key for key, result in outcome.results.items() if result == "skipped"} == skipped
    assert "no workspace yet" in str(outcome)
    assert "docs/cicd.md" in str(outcome)
    assert newcomer.origin.head("refs/heads/green") == green


@pytest.mark.parametrize("file", [PULL_REQUEST, STAGING])
def test_with_a_workspace_nothing_is_skipped(rehearsal: Rehearsal, file: str) -> None:
    event = event_of(rehearsal, file)
    assert started(rehearsal, event) == file
    outcome = rehearsal.run(file, event, jobs=QUICK)
    assert set(outcome.results.values()) == {"success"}, outcome
    assert "no workspace yet" not in str(outcome)


@pytest.mark.parametrize(
    ("file", "environment", "name"),
    [
        *((PULL_REQUEST, "pull-request", name) for name in SETTINGS["pull-request"]),
        *((STAGING, "staging", name) for name in SETTINGS["staging"]),
    ],
)
def test_half_a_workspace_is_red_by_the_name_of_what_is_missing(
    rehearsal: Rehearsal, file: str, environment: str, name: str
) -> None:
    kept = {key: value for key, value in rehearsal.system.settings[environment].items() if key != name}
    half = with_settings(rehearsal, {**rehearsal.system.settings, environment: kept})
    outcome = half.run(file, event_of(half, file), jobs=(*QUICK, "plan", "workspace", "deploy", "green"))
    assert outcome.failed()[0] == f"make has-workspace FOR={environment}"
    assert f"but not {name}: set" in str(outcome)
    assert not {"plan", "workspace", "deploy", "green"} & {
        key for key, result in outcome.results.items() if result != "skipped"
    }
    assert not outcome.green
