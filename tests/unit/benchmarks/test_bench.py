"""The tables show medians and ratios, and every module of the stages is timed."""

import io
import pkgutil
import subprocess

import pytest
from rich.console import Console

from benchmarks import commands
from benchmarks.bench import figures_table, imports_table
from benchmarks.commands import JOB, SCRIPT, Figures, commands_at, compared
from benchmarks.imports import STAGES, import_seconds, stage_modules
from benchmarks.measure import Measurement
from local_workspace.workspace import REPOSITORY
from project.config import load_config

pytestmark = pytest.mark.homes("local", reason="about what a benchmark measures, on this machine")

GIB = 2**30
CONFIG = load_config()


def lines(table) -> list[list[str]]:
    """The cells of each printed row."""
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    rows = [line for line in console.file.getvalue().splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]


def figures(name, seconds, cpu_seconds, gib, of_model=()) -> Figures:
    quality = dict(zip(compared(CONFIG), of_model, strict=False))
    return Figures(name, Measurement(0, seconds, cpu_seconds, int(gib * GIB)), quality)


def test_a_row_has_the_medians_of_its_runs_and_their_ratio_to_the_script():
    found = [
        figures(JOB, 100.0, 150.0, 3.0, (0.77942, 0.5)),
        figures(SCRIPT, 10.0, 20.0, 0.5, (0.77938, 0.51)),
        figures(JOB, 40.0, 90.0, 2.0, (0.77942, 0.5)),
        figures(SCRIPT, 12.0, 30.0, 0.5, (0.77938, 0.51)),
        figures(JOB, 60.0, 90.0, 2.0, (0.77942, 0.5)),
        figures(SCRIPT, 30.0, 31.0, 0.5, (0.77938, 0.51)),
        figures("make run", 120.0, 240.0, 4.0),
    ]
    assert lines(figures_table(found, CONFIG)) == [
        [JOB, "60.0", "5.0", "90.0", "3.0", "2.0", "4.0", "0.7794", "0.5000"],
        [SCRIPT, "12.0", "1.0", "30.0", "1.0", "0.5", "1.0", "0.7794", "0.5100"],
        ["make run", "120.0", "10.0", "240.0", "8.0", "4.0", "8.0", "", ""],
    ]


def test_a_use_case_without_a_script_has_no_ratios():
    found = [figures(JOB, 60.0, 90.0, 2.0, (0.77942, 0.5))]
    assert lines(figures_table(found, CONFIG)) == [[JOB, "60.0", "", "90.0", "", "2.0", "", "0.7794", "0.5000"]]


def test_the_script_runs_as_of_the_job_s_moment_where_there_is_one(monkeypatch):
    as_of = "2024-08-01T00:00:00+00:00"
    monkeypatch.setattr(commands, "_MODULE", "use_case.no_script")
    without = commands_at(as_of)
    assert SCRIPT not in without
    monkeypatch.setattr(commands, "_MODULE", "use_case.config_of_a_script")
    monkeypatch.setattr(commands, "find_spec", lambda name: name)
    assert commands_at(as_of) == without | {SCRIPT: ("use_case.config_of_a_script", "--as-of", as_of)}
    assert without[JOB][-2:] == ("--as-of", as_of)


def test_imports_come_slowest_first_and_none_over_the_limit_is_left_out():
    slow = {f"slow_{index}": 1.0 + index for index in range(12)}
    shown = lines(imports_table({"fast": 0.5} | slow))
    assert shown == [[f"slow_{index}", f"{1.0 + index:.2f}"] for index in reversed(range(12))]


def test_every_module_of_the_stages_is_timed_and_no_notebook():
    def found(package: str) -> set[str]:
        inside = pkgutil.walk_packages([str(REPOSITORY / package)], f"{package}.")
        return {package, *(module.name for module in inside)}

    expected = set().union(*(found(stage) for stage in STAGES))
    assert {"training.train", "deployment.batch_inference.scoring"} <= expected
    assert sorted(stage_modules()) == sorted(expected)


def test_a_module_is_imported_as_a_local_run_imports_it():
    assert import_seconds("training.lookups", times=1) > 0


def test_a_module_that_does_not_import_is_an_error():
    with pytest.raises(subprocess.CalledProcessError):
        import_seconds("project.missing", times=1)
