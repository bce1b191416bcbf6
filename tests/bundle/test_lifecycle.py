"""Each target's whole life in an empty workspace: validate, plan, deploy, change, deploy again, destroy."""

from dataclasses import replace

import pytest

from tests.bundle.standin import TARGETS, Deployment


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_comes_changes_and_goes(fresh: Deployment, target: str) -> None:
    bundle = replace(fresh, target=target)
    assert "Validation OK!" in bundle.cli("validate", "--strict")
    number, *nothing_else = bundle.plan()
    assert number > 10
    assert nothing_else == [0, 0, 0]

    bundle.cli("deploy")
    assert bundle.plan() == (0, 0, 0, number)
    held = bundle.held()
    assert all(held.values()), held

    bundle.edit("resources/monitoring.job.yml", "${var.monitoring_schedule}", "0 30 9 * * ?")
    assert bundle.plan() == (0, 1, 0, number - 1)
    bundle.cli("deploy")
    assert bundle.plan() == (0, 0, 0, number)
    schedules = [job["schedule"]["quartz_cron_expression"] for job in bundle.jobs().values() if "schedule" in job]
    assert schedules.count("0 30 9 * * ?") == 1

    bundle.cli("destroy", "--auto-approve")
    assert not any(bundle.held().values()), bundle.held()
    assert bundle.plan() == (number, 0, 0, 0)


def test_two_suffixes_share_nothing_not_even_from_one_checkout(fresh: Deployment) -> None:
    first, second = fresh, replace(fresh, settings={**fresh.settings, "suffix": "pr2"})
    first.make("deploy")
    before = first.held()
    second.make("deploy")
    both = second.held()
    for kind, names in before.items():
        own = [name for name in both[kind] if name not in names]
        assert names == [name for name in both[kind] if "pr1" in name], kind
        assert len(own) == len(names) > 0, kind
        assert all("pr2" in name and "pr1" not in name for name in own), kind
    for job in second.jobs().values():
        assert ("pr1" in str(job)) is not ("pr2" in str(job)), job["name"]
    second.make("destroy")
    assert first.held() == before
    assert first.plan()[:3] == (0, 0, 0)  # from what the workspace knows: here is another local state
