"""Posts the plans of all targets on the pull request: one comment, which the next run updates.

Reads `.tools/plan-<target>.txt`, which `make plan` writes, and what the CI system says of the run: on GitHub
`GITHUB_*` with GITHUB_TOKEN (pull-requests: write), on Azure Pipelines `SYSTEM_*` and `BUILD_*` with SYSTEM_ACCESSTOKEN.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

# The comment is found again by its first line.
TITLE = "## Bundle plan"
# GitHub takes comments of 65,536 characters at most.
_LONGEST_PLAN = 12_000
_TIMEOUT_SECONDS = 30
_PAGE = 100


def main() -> None:
    """Posts what is in `.tools`."""
    files = sorted(Path(".tools").glob("plan-*.txt"))
    if not files:
        sys.exit("error: there are no plans in .tools: 'make plan TARGET=...' writes them.")
    body = write_comment({file.stem.removeprefix("plan-"): file.read_text(encoding="utf-8") for file in files})
    try:
        if "GITHUB_ACTIONS" in os.environ:
            _post_on_github(body)
        elif "TF_BUILD" in os.environ:
            _post_on_azure(body)
        else:
            sys.exit("error: this is neither GitHub Actions nor Azure Pipelines: there is no pull request to post on.")
    except KeyError as error:
        sys.exit(f"error: {error.args[0]} is not set: is this a pull request's run, and does the step pass its token?")
    except requests.RequestException as error:
        sys.exit(f"error: the plan was not posted: {error}")


def write_comment(plans: dict[str, str]) -> str:
    """The comment's Markdown: a section for each target."""
    commit = os.environ.get("GITHUB_SHA") or os.environ.get("BUILD_SOURCEVERSION") or "unknown"
    sections = [f"### {target}\n\n```\n{_shorten(plan)}\n```" for target, plan in plans.items()]
    return "\n\n".join([TITLE, *sections, f"Commit {commit}"])


def _shorten(plan: str) -> str:
    # A fence within the plan would end the block.
    plan = plan.strip().replace("```", "'''")
    return plan if len(plan) <= _LONGEST_PLAN else plan[:_LONGEST_PLAN] + "\n... (the run's log has the rest)"


def _post_on_github(body: str) -> None:
    number = os.environ["GITHUB_REF"].split("/")[2]
    issues = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {os.environ['GITHUB_TOKEN']}"
        for comment in _github_comments(session, f"{issues}/{number}/comments"):
            if comment["user"]["type"] == "Bot" and comment["body"].startswith(TITLE):
                _send(session, "PATCH", f"{issues}/comments/{comment['id']}", {"body": body})
                return
        _send(session, "POST", f"{issues}/{number}/comments", {"body": body})


def _github_comments(session: requests.Session, url: str) -> Iterator[dict[str, Any]]:
    page = 1
    while comments := _send(session, "GET", f"{url}?per_page={_PAGE}&page={page}"):
        yield from comments
        page += 1


def _post_on_azure(body: str) -> None:
    project = f"{os.environ['SYSTEM_COLLECTIONURI'].rstrip('/')}/{os.environ['SYSTEM_TEAMPROJECTID']}"
    repository = f"{project}/_apis/git/repositories/{os.environ['BUILD_REPOSITORY_ID']}"
    threads = f"{repository}/pullRequests/{os.environ['SYSTEM_PULLREQUEST_PULLREQUESTID']}/threads"
    version = "api-version=7.1"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {os.environ['SYSTEM_ACCESSTOKEN']}"
        for thread in _send(session, "GET", f"{threads}?{version}")["value"]:
            first = thread["comments"][0]
            if not thread.get("isDeleted") and (first.get("content") or "").startswith(TITLE):
                url = f"{threads}/{thread['id']}/comments/{first['id']}?{version}"
                _send(session, "PATCH", url, {"content": body})
                return
        # Closed from the start: a plan is no question that must be resolved before the merge.
        comment = {"parentCommentId": 0, "content": body, "commentType": "text"}
        _send(session, "POST", f"{threads}?{version}", {"comments": [comment], "status": "closed"})


def _send(session: requests.Session, method: str, url: str, data: dict[str, Any] | None = None) -> Any:
    answer = session.request(method, url, json=data, timeout=_TIMEOUT_SECONDS)
    answer.raise_for_status()
    return answer.json()


if __name__ == "__main__":
    main()
