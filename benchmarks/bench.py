"""`make bench`: the main job beside one pandas script, the whole of `make run`, serving, and the stages' imports."""

import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table

from benchmarks.commands import SCRIPT, Figures, compared, empty, run_all, workspace_of
from benchmarks.imports import LIMIT_SECONDS, import_seconds, stage_modules
from benchmarks.serving import measure_serving, serving_table
from local_workspace.workspace import find_workspace
from project.config import Config, load_config

_SHOWN_IMPORTS = 10
_GIB = 2**30


@click.command(help="Time the main job beside one pandas script, the whole run, serving, and the stages' imports.")
@click.option("--pairs", default=1, show_default=True, type=click.IntRange(min=1), help="How often job and script run.")
def main(pairs: int) -> None:
    """Measures, prints, and writes `bench.json`."""
    if sys.platform != "linux":
        raise click.ClickException("The benchmark reads /proc, so it runs on Linux only.")
    config, folder = load_config(), find_workspace().root / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False)
    conditions = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_average_before": os.getloadavg(),
    }
    with console.status("") as status:
        figures = []
        for found in run_all(folder, pairs, config, status.update):
            console.print(f"{found.name}: {found.measurement.seconds:.1f} s")
            figures.append(found)
        serving = measure_serving(workspace_of(folder), config, status.update)
        empty(workspace_of(folder))
        status.update("imports")
        imports = {module: import_seconds(module) for module in stage_modules()}
    console.print(figures_table(figures, config), serving_table(serving), imports_table(imports), sep="\n\n")
    measured = {
        "figures": [asdict(found) for found in figures],
        "serving": [asdict(one) for one in serving],
        "import_seconds": imports,
    }
    written = folder / "bench.json"
    written.write_text(json.dumps(conditions | measured, indent=2), encoding="utf-8")
    console.print(f"\nAll figures: {written}", soft_wrap=True)


def figures_table(figures: Sequence[Figures], config: Config) -> Table:
    """One row a command: the median of its runs, and how often the script's that is, where there is a script."""
    table = Table(title="The main job beside one pandas script (ratio: to the script)", title_justify="left")
    titles = [config.label.measure_of(name, config.subject.plural).short_title for name in compared(config)]
    for heading in ("", "seconds", "ratio", "CPU seconds", "ratio", "peak GiB", "ratio", *titles):
        table.add_column(heading, justify="right" if heading else "left")
    names = dict.fromkeys(found.name for found in figures)
    limit = _medians(figures, SCRIPT) if SCRIPT in names else None
    for name in names:
        cells = [
            cell
            for place, value in enumerate(_medians(figures, name))
            for cell in (f"{value:.1f}", f"{value / limit[place]:.1f}" if limit else "")
        ]
        quality = next(found.quality for found in figures if found.name == name)
        scores = [f"{quality[metric]:.4f}" if quality else "" for metric in compared(config)]
        table.add_row(name, *cells, *scores)
    return table


def imports_table(seconds: Mapping[str, float]) -> Table:
    """The modules that take longest to import; those over the limit are red."""
    over = sum(value >= LIMIT_SECONDS for value in seconds.values())
    table = Table(
        title=f"Import of {len(seconds)} stage modules: {over} take {LIMIT_SECONDS:g} s or more", title_justify="left"
    )
    table.add_column("module")
    table.add_column("seconds", justify="right")
    for module, value in sorted(seconds.items(), key=lambda item: -item[1])[: max(_SHOWN_IMPORTS, over)]:
        table.add_row(module, f"{value:.2f}", style="red" if value >= LIMIT_SECONDS else None)
    return table


def _medians(figures: Sequence[Figures], name: str) -> tuple[float, float, float]:
    """Seconds, CPU seconds and peak GiB."""
    runs = [found.measurement for found in figures if found.name == name]
    return (
        statistics.median(run.seconds for run in runs),
        statistics.median(run.cpu_seconds for run in runs),
        statistics.median(run.peak_bytes / _GIB for run in runs),
    )


if __name__ == "__main__":
    main()
