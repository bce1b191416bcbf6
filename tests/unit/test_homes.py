"""What has no place in a home is left out and told of, and a home that can't be had is told of in one sentence."""

import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LOCAL_ALONE, ANYWHERE = "tests/unit/local_workspace/test_dbutils.py", "tests/unit/project/test_rows.py"
WITHOUT_SPARK = "tests/unit/project/test_times.py"


def collect(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Pytest's collection, which needs no Spark, without this run's own variables of homes."""
    named = ("SPARK_", "BUNDLE_VAR_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(named)}
    return subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-m", "pytest", "--collect-only", *arguments],
        cwd=REPOSITORY,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_has_no_place_in_a_home_is_counted_with_its_reason() -> None:
    here = collect(LOCAL_ALONE, ANYWHERE, WITHOUT_SPARK).stdout
    there = collect(LOCAL_ALONE, ANYWHERE, WITHOUT_SPARK, "--home", "connect", SPARK_REMOTE="sc://localhost:1").stdout
    everywhere, alone, without = (
        re.findall(rf"^{file}::\w+", here, re.MULTILINE) for file in (ANYWHERE, LOCAL_ALONE, WITHOUT_SPARK)
    )
    assert all((everywhere, alone, without))
    assert re.findall(r"^tests/\S+::\w+", there, re.MULTILINE) == everywhere
    assert f"{len(alone)} not run with --home connect: about the local workspace" in there
    assert f"{len(without)} not run with --home connect: without a Spark session" in there
    assert "not run with" not in here


def test_a_home_that_lacks_something_says_what() -> None:
    for home, wanted in (("connect", "make test-connect"), ("databricks", "BUNDLE_VAR_catalog")):
        done = collect(ANYWHERE, "--home", home)
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith("ERROR:")
        assert wanted in line
