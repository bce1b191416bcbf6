"""The whole way of a change, in both systems: pull request, merge, release, and an earlier release once more."""

from tests.bundle.standin import assert_ran_to_its_end, newest_runs, states
from tests.cicd.conftest import Rehearsal
from tests.cicd.executor import Outcome
from tests.cicd.system import Event
from tests.cicd.test_agreement import make_words, steps_of
from tools.plan_comment import TITLE

# A change of code that changes nothing that runs.
CHANGE = {"project/change.py": '"""A change."""\n'}


def test_a_pull_request_passes_and_leaves_nothing_behind(rehearsal: Rehearsal) -> None:
    event = open_pull_request(rehearsal, 7, CHANGE)
    before = rehearsal.held()
    outcome = rehearsal.run(started(rehearsal, event), event)
    assert set(outcome.results.values()) == {"success"}, outcome
    assert words(outcome) == [step[1] for step in steps_of(rehearsal.system, event, "true")]
    assert rehearsal.held() == before
    (comment,) = rehearsal.site.forge.comments.values()
    assert comment.startswith(TITLE)
    for target in ("dev", "test", "staging", "prod"):
        assert f"### {target}" in comment
    assert f"Commit {event.commit}" in comment
    runs = newest_runs(rehearsal.workspace("staging"))
    assert set(runs) == {"training", "batch_inference", "monitoring"}
    for run in runs.values():
        assert_ran_to_its_end(run)
    assert states(runs["monitoring"])["run_training"] == "EXCLUDED"  # the target does not retrain by itself


def test_a_pull_request_of_documents_runs_what_it_can_affect(rehearsal: Rehearsal) -> None:
    event = open_pull_request(rehearsal, 8, {"docs/note.md": "# A note\n"})
    outcome = rehearsal.run(started(rehearsal, event), event, jobs=("changes", "required"))
    assert outcome.green, outcome
    assert {key for key, result in outcome.results.items() if result == "success"} >= {"changes", "lint"}
    skipped = {key for key, result in outcome.results.items() if result == "skipped"}
    assert skipped == {"unit", "local_run", "bundle", "has_workspace", "plan", "workspace"}


def test_a_forks_pull_request_gets_no_credentials(rehearsal: Rehearsal) -> None:
    event = open_pull_request(rehearsal, 9, CHANGE, fork=True)
    before = [len(login.logins) for login in rehearsal.workspaces.values()]
    outcome = rehearsal.run(started(rehearsal, event), event, jobs=("changes", "plan", "workspace", "required"))
    assert outcome.green, outcome
    assert {outcome.results["plan"], outcome.results["workspace"]} == {"skipped"}
    assert [len(login.logins) for login in rehearsal.workspaces.values()] == before


def test_a_merge_is_deployed_released_and_deployed_again(rehearsal: Rehearsal) -> None:
    origin = rehearsal.origin
    first = merge(rehearsal, {"project/first.py": '"""The first release."""\n'})
    event = Event("push", first)
    outcome = rehearsal.run(started(rehearsal, event), event)
    assert set(outcome.results.values()) == {"success"}, outcome
    assert deployed_commits(rehearsal, "staging") == {first}
    assert origin.head("refs/heads/green") == first

    # What staging has not proved yet is not released.
    second = merge(rehearsal, {"project/second.py": '"""The second release."""\n'})
    release(rehearsal)
    assert origin.head("refs/heads/release") == first
    assert deployed_commits(rehearsal, "prod") == {first}
    (tag,) = origin.tags()
    assert tag.startswith("release-")

    assert rehearsal.run("staging.yml", Event("push", second), jobs=("green",)).green
    release(rehearsal)
    assert deployed_commits(rehearsal, "prod") == {second}
    assert len(origin.tags()) == 2

    again = Event("dispatch", origin.head("refs/heads/release"), branch="release", inputs={"release": tag})
    outcome = rehearsal.run("prod.yml", again)
    assert outcome.results == {"deploy": "success", "record": "skipped"}, outcome
    assert deployed_commits(rehearsal, "prod") == {first}
    assert len(origin.tags()) == 2


def release(rehearsal: Rehearsal) -> None:
    """The schedule, and what it starts: on GitHub by a dispatch, on Azure by the push."""
    before = rehearsal.origin.head("refs/heads/release")
    event = Event("schedule", rehearsal.origin.head("refs/heads/main"))
    outcome = rehearsal.run(started(rehearsal, event), event)
    assert outcome.green, outcome
    pushed = Event("push", rehearsal.origin.head("refs/heads/release"), branch="release")
    assert pushed.commit != before
    if rehearsal.system.name == "github":
        (file,) = outcome.dispatched
        pushed = Event("dispatch", pushed.commit, branch="release")
    else:
        file = started(rehearsal, pushed)
    deployed = rehearsal.run(file, pushed)
    assert set(deployed.results.values()) == {"success"}, deployed
    # Another run of the schedule finds nothing new.
    assert rehearsal.run("release.yml", event).dispatched == []
    assert rehearsal.origin.head("refs/heads/release") == pushed.commit


def open_pull_request(rehearsal: Rehearsal, number: int, changes: dict[str, str], *, fork: bool = False) -> Event:
    head = rehearsal.origin.commit(rehearsal.origin.head("refs/heads/main"), "A change", changes)
    return Event("pull_request", rehearsal.origin.pull_request(number, head), number=number, fork=fork)


def merge(rehearsal: Rehearsal, changes: dict[str, str]) -> str:
    commit = rehearsal.origin.commit(rehearsal.origin.head("refs/heads/main"), "A merge", changes)
    rehearsal.origin.push(commit, "refs/heads/main")
    return commit


def started(rehearsal: Rehearsal, event: Event) -> str:
    """The one workflow that an event starts."""
    flows = [rehearsal.workflow(file) for file in ("prod.yml", "pull_request.yml", "release.yml", "staging.yml")]
    if event.kind != "dispatch":
        flows = [flow for flow in flows if rehearsal.system.starts(flow, event)]
    (flow,) = flows
    return flow.file


def words(outcome: Outcome) -> list[str]:
    return [found for command in outcome.commands if (found := make_words(command))]


def deployed_commits(rehearsal: Rehearsal, name: str) -> set[str]:
    """The commit that each job says it was deployed from."""
    jobs = rehearsal.workspace(name).jobs()
    assert len(jobs) > 3
    return {settings["tags"]["git_commit"] for settings in jobs.values()}
