"""Posts the plans of all targets on the pull request: one comment, which the next run updates.

Reads `.tools/plan-<target>.txt`, which `make plan` writes, and what the CI system says of the run: on GitHub
`GITHUB_*` with GITHUB_TOKEN (pull-requests: write), on Azure Pipelines `SYSTEM_*`, `BUILD_*` and
SYSTEM_ACCESSTOKEN.
Needs nothing but Python.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

PLANS = Path(".tools")
# The comment is found again by its first line.
TITLE = "## Bundle plan"
# GitHub takes comments of 65,536 characters at most.
LONGEST_PLAN = 12_000
_TIMEOUT_SECONDS = 30
_PAGE = 100


def main() -> None:
    """Posts what is in `.tools`."""
    files = sorted(PLANS.glob("plan-*.txt"))
    if not files:
        sys.exit(f"error: there are no plans in {PLANS}: 'make plan TARGET=...' writes them.")
    plans = {file.stem.removeprefix("plan-"): file.read_text(encoding="utf-8") for file in files}
    try:
        if "GITHUB_ACTIONS" in os.environ:
            post_on_github(write_comment(plans, os.environ["GITHUB_SHA"]))
        elif "TF_BUILD" in os.environ:
            post_on_azure(write_comment(plans, os.environ["BUILD_SOURCEVERSION"]))
        else:
            sys.exit("error: this is neither GitHub Actions nor Azure Pipelines: there is no pull request to post on.")
    except KeyError as error:
        sys.exit(f"error: {error.args[0]} is not set: is this a pull request's run, and does the step pass its token?")
    except (URLError, TimeoutError) as error:
        sys.exit(f"error: the plan was not posted ({error}): may the token write to the pull request?")


def write_comment(plans: dict[str, str], commit: str) -> str:
    """The comment's Markdown: a section for each target."""
    sections = [f"### {target}\n\n```\n{_shorten(plan)}\n```" for target, plan in plans.items()]
    return "\n\n".join([TITLE, *sections, f"Commit {commit}"])


def _shorten(plan: str) -> str:
    # A fence within the plan would end the block.
    plan = plan.strip().replace("```", "'''")
    return plan if len(plan) <= LONGEST_PLAN else plan[:LONGEST_PLAN] + "\n... (the run's log has the rest)"


def post_on_github(body: str) -> None:
    """Makes or updates the comment, through GitHub's REST API."""
    token = os.environ["GITHUB_TOKEN"]
    # refs/pull/NUMBER/merge
    number = os.environ["GITHUB_REF"].split("/")[2]
    issues = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    for comment in _github_comments(f"{issues}/{number}/comments", token):
        if comment["user"]["type"] == "Bot" and comment["body"].startswith(TITLE):
            _send("PATCH", f"{issues}/comments/{comment['id']}", token, {"body": body})
            return
    _send("POST", f"{issues}/{number}/comments", token, {"body": body})


def _github_comments(url: str, token: str) -> Iterator[dict[str, Any]]:
    page = 1
    while comments := _send("GET", f"{url}?per_page={_PAGE}&page={page}", token):
        yield from comments
        page += 1


def post_on_azure(body: str) -> None:
    """Makes or updates a thread of one comment, through Azure DevOps' REST API."""
    token = os.environ["SYSTEM_ACCESSTOKEN"]
    project = f"{os.environ['SYSTEM_COLLECTIONURI'].rstrip('/')}/{os.environ['SYSTEM_TEAMPROJECTID']}"
    repository = f"{project}/_apis/git/repositories/{os.environ['BUILD_REPOSITORY_ID']}"
    threads = f"{repository}/pullRequests/{os.environ['SYSTEM_PULLREQUEST_PULLREQUESTID']}/threads"
    version = "api-version=7.1"
    for thread in _send("GET", f"{threads}?{version}", token)["value"]:
        first = thread["comments"][0]
        if not thread.get("isDeleted") and (first.get("content") or "").startswith(TITLE):
            _send("PATCH", f"{threads}/{thread['id']}/comments/{first['id']}?{version}", token, {"content": body})
            return
    # Closed from the start: a plan is no question that must be resolved before the merge.
    comment = {"parentCommentId": 0, "content": body, "commentType": "text"}
    _send("POST", f"{threads}?{version}", token, {"comments": [comment], "status": "closed"})


def _send(method: str, url: str, token: str, data: dict[str, Any] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Content-Type": "application/json"}
    body = None if data is None else json.dumps(data).encode()
    # The CI system names the host; a local file would be of no use to anyone.
    request = Request(url, data=body, headers=headers, method=method)  # noqa: S310
    with urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
        return json.load(answer)


if __name__ == "__main__":
    main()
