"""What the stand-in workspace runs for a job: the real tasks, once for each deployed commit.

    run_once.py FOLDER COMMAND...

A job of the same name, deployed from the same commit and asked for with the same parameters, is not run a second time
for the other CI system: its reports are said again. FOLDER keeps them. REHEARSE=whole runs every job.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen


def main() -> int:
    """Reads the run from standard input, as the command does that it stands before."""
    folder, command = Path(sys.argv[1]), sys.argv[2:]
    request = json.load(sys.stdin)
    kept = folder / f"{key_of(request)}.json"
    if kept.exists() and os.environ.get("REHEARSE") != "whole":
        status, reports = json.loads(kept.read_text())
        sys.stdout.write(reports)
        return int(status)
    status, reports = run(command, request)
    if status >= 0:  # and not ended by a signal, which says nothing of the job
        kept.write_text(json.dumps([status, reports]))
    return status


def key_of(request: dict[str, Any]) -> str:
    """What tells one run from another; the ids of jobs and runs differ between workspaces."""
    url = f"{os.environ['DATABRICKS_HOST']}/api/2.2/jobs/get?job_id={request['job_id']}"
    headers = {"Authorization": f"Bearer {os.environ['DATABRICKS_TOKEN']}"}
    with urlopen(Request(url, headers=headers), timeout=30) as answer:  # noqa: S310 (the stand-in)
        settings = json.load(answer)["settings"]
    same = [settings["name"], settings["tags"], request["job_parameters"]]
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


def run(command: list[str], request: dict[str, Any]) -> tuple[int, str]:
    """The command's status, and what it reported line by line."""
    reports = ""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    assert process.stdin
    assert process.stdout
    with process.stdin:
        json.dump(request, process.stdin)
    for line in process.stdout:
        print(line, end="", flush=True)
        reports += line
    return process.wait(), reports


if __name__ == "__main__":
    sys.exit(main())
