"""The plan on a pull request: one comment, in both systems, against servers that answer as theirs do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cicd.services import Forge, Service
from tools.plan_comment import LONGEST_PLAN, TITLE, write_comment

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def forge() -> Forge:
    return Forge(rights={"may-comment": {"comment"}, "may-read": set()})


@pytest.fixture
def url(forge: Forge) -> Iterator[str]:
    with Service(forge) as service:
        yield service.url


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    folder = tmp_path / ".tools"
    folder.mkdir()
    (folder / "plan-dev.txt").write_text("create jobs.training\n")
    (folder / "plan-prod.txt").write_text("update jobs.training\n")
    return folder


def variables(system: str, url: str, token: str) -> dict[str, str]:
    return {
        "github": {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": url,
            "GITHUB_REPOSITORY": "example/arrival-delay",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_SHA": "c0ffee",
            "GITHUB_TOKEN": token,
        },
        "azure": {
            "TF_BUILD": "True",
            "SYSTEM_COLLECTIONURI": f"{url}/example/",
            "SYSTEM_TEAMPROJECTID": "project",
            "BUILD_REPOSITORY_ID": "repository",
            "BUILD_SOURCEVERSION": "c0ffee",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
            "SYSTEM_ACCESSTOKEN": token,
        },
    }[system]


def post(plans: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (our own tool)
        [sys.executable, str(REPOSITORY / "tools/plan_comment.py")],
        cwd=plans.parent,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("system", ["github", "azure"])
def test_a_second_run_updates_the_one_comment(system: str, forge: Forge, url: str, plans: Path) -> None:
    forge.comments[1] = "What a person wrote"
    env = variables(system, url, "may-comment")
    assert post(plans, env).returncode == 0
    assert "create jobs.training" in forge.comments[2]
    assert "### prod" in forge.comments[2]
    assert "Commit c0ffee" in forge.comments[2]
    (plans / "plan-dev.txt").write_text("delete jobs.training\n")
    assert post(plans, env).returncode == 0
    assert list(forge.comments) == [1, 2]
    assert "delete jobs.training" in forge.comments[2]
    assert "create jobs.training" not in forge.comments[2]
    assert forge.comments[1] == "What a person wrote"


@pytest.mark.parametrize("system", ["github", "azure"])
def test_a_token_without_the_right_is_an_error(system: str, forge: Forge, url: str, plans: Path) -> None:
    done = post(plans, variables(system, url, "may-read"))
    assert done.returncode == 1
    assert "403" in done.stderr
    assert "Traceback" not in done.stderr
    assert "may-read" not in done.stderr
    assert forge.comments == {}


@pytest.mark.parametrize(("system", "variable"), [("github", "GITHUB_TOKEN"), ("azure", "SYSTEM_ACCESSTOKEN")])
def test_a_missing_token_is_named(system: str, variable: str, url: str, plans: Path) -> None:
    env = variables(system, url, "may-comment")
    del env[variable]
    done = post(plans, env)
    assert done.returncode == 1
    assert f"error: {variable} is not set" in done.stderr


def test_without_plans_or_a_system_it_says_so(tmp_path: Path, plans: Path) -> None:
    assert "neither GitHub Actions nor Azure Pipelines" in post(plans, {}).stderr
    empty = tmp_path / "elsewhere" / ".tools"
    empty.mkdir(parents=True)
    done = post(empty, {})
    assert done.returncode == 1
    assert "there are no plans" in done.stderr


def test_a_dead_server_is_an_error(plans: Path) -> None:
    done = post(plans, variables("github", "http://127.0.0.1:9", "may-comment"))
    assert done.returncode == 1
    assert "error: the plan was not posted" in done.stderr


def test_a_comment_is_found_by_its_title_and_stays_within_what_github_takes() -> None:
    plans = dict.fromkeys(("dev", "test", "staging", "prod"), "x" * 100_000)
    body = write_comment({**plans, "dev": "```\n# not the end of the block"}, "c0ffee")
    assert body.startswith(TITLE)
    assert len(body) < 65_536
    assert body.count("```") == 8
    assert body.count("x" * LONGEST_PLAN + "\n...") == 3
