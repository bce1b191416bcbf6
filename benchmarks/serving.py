"""The local endpoint under load, beside the bare model in one process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.load import Load
from benchmarks.measure import REPOSITORY
from local_workspace.workspace import FOLDER_VARIABLE, Workspace, find_workspace
from project.config import Config, load_config

CALLERS = (1, 8, 64)
ROWS = (1, 100)
_SECONDS = 5.0
_REQUESTS = 200
_FILED_UNDER = ("model_name", "model_version", "as_of")


@dataclass(frozen=True)
class Bare:
    """The model alone, asked one request after another.

    Attributes:
        rows: in a request.
        per_second: requests a second.
        p50_ms: half of them took no longer.
        p99_ms: 99 of a hundred took no longer.
    """

    rows: int
    per_second: float
    p50_ms: float
    p99_ms: float


def measure_serving(workspace: Workspace, config: Config, starting: Callable[[str], None]) -> list[Bare | Load]:
    """Asks the bare model, then the server, about rows that batch scoring has scored in this workspace.

    Args:
        workspace: what a run has left.
        config: names the columns.
        starting: is told the name of what comes next.
    """
    scored = read_scored(workspace)
    files = {rows: workspace.root / f"requests-{rows}.json" for rows in ROWS}
    for rows, file in files.items():
        file.write_text(json.dumps(list(make_requests(scored, rows, config))), encoding="utf-8")
    measured: list[Bare | Load] = []
    for rows, file in files.items():
        starting(f"the bare model, {rows} rows a request")
        measured.append(Bare(**_figures("benchmarks.bare_model", workspace, str(file), str(_SECONDS))))
    with _server(workspace) as url:
        for rows, file in files.items():
            _figures("benchmarks.load", workspace, url, str(file), "1", "1")  # the first answers are slower
            for callers in CALLERS:
                starting(f"{callers} callers, {rows} rows a request")
                load = _figures("benchmarks.load", workspace, url, str(file), str(callers), str(_SECONDS))
                measured.append(Load(**load))
    return measured


def read_scored(workspace: Workspace) -> pd.DataFrame:
    """What batch scoring was given and what it said: the table is only added to, so its files are its rows."""
    (folder,) = (workspace.root / "warehouse").glob("*/predictions")
    rows: pd.DataFrame = pd.concat(
        [pq.read_table(file).to_pandas() for file in sorted(folder.glob("*.parquet"))], ignore_index=True
    )
    return rows


def serving_table(measured: Sequence[Bare | Load]) -> Table:
    """One row a measurement."""
    table = Table(title="Serving: the endpoint beside the bare model in one process", title_justify="left")
    for heading in (
        "",
        "rows a request",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "errors",
        "unlike batch",
        "client's core",
    ):
        table.add_column(heading, justify="right" if heading else "left")
    for one in measured:
        figures = (str(one.rows), f"{one.per_second:,.0f}", f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}")
        if isinstance(one, Load):
            name = f"{one.callers} client{'s' if one.callers > 1 else ''}"
            table.add_row(name, *figures, str(one.errors), str(one.wrong), f"{one.client_share:.0%}")
        else:
            table.add_row("bare model", *figures)
    return table


def make_requests(scored: pd.DataFrame, rows: int, config: Config) -> Iterator[tuple[dict[str, Any], list[float]]]:
    """Requests with all features, and batch scoring's answers."""
    prediction, others = config.prediction.column, {*config.filed_columns} - {*config.subject.lookup_keys}
    unasked = [name for name in (*others, *_FILED_UNDER, prediction) if name in scored]
    for number in range(_REQUESTS):
        part = scored.sample(rows, random_state=number)
        inputs = part.drop(columns=unasked)
        plain = inputs.astype(object).where(inputs.notna(), None)
        body = {"dataframe_split": {"columns": list(plain.columns), "data": plain.to_numpy().tolist()}}
        yield body, part[prediction].tolist()


def _figures(module: str, workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """What a process of its own measures."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(  # noqa: S603 (our own modules)
        command, cwd=REPOSITORY, env=_environment(workspace), stdout=subprocess.PIPE, text=True, check=True
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _environment(workspace: Workspace) -> dict[str, str]:
    return {**os.environ, FOLDER_VARIABLE: str(workspace.root)}


@contextmanager
def _server(workspace: Workspace) -> Iterator[str]:
    """`make serve` on the workspace; yields the address to ask."""
    command = [sys.executable, "-m", "local_workspace", "serve"]
    server = subprocess.Popen(  # noqa: S603 (our own interpreter)
        command, cwd=REPOSITORY, env=_environment(workspace), stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None  # noqa: S101 (a pipe, as asked)
        line = server.stdout.readline()
        yield line.split()[1]
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    Console(highlight=False).print(serving_table(measure_serving(find_workspace(), load_config(), lambda _: None)))
