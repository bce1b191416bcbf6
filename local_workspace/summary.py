"""What a run came to: the champion, the tables, the report, and where to look further."""

from typing import Any

from mlflow import MlflowClient
from rich.console import JustifyMethod
from rich.table import Table

from local_workspace.bundle import Bundle
from local_workspace.console import Console
from local_workspace.workspace import Workspace
from project.registry import champion_version
from project.tables import quoted_name


def print_summary(bundle: Bundle, workspace: Workspace, spark: Any) -> None:
    """Prints the champion and its metrics, the row counts, and where report and MLflow UI are."""
    console = Console(highlight=False)
    console.print()
    _print_champion(console, str(bundle.resource("registered_models", "model")["id"]))
    _print_tables(console, spark, str(bundle.resource("schemas", "schema")["id"]))
    reports = sorted(_reports_of(bundle, workspace), key=lambda path: path.stat().st_mtime)
    console.print(f"Report     {reports[-1]}" if reports else "Report     none was written", soft_wrap=True)
    console.print("MLflow UI  make ui")


def _print_champion(console: Console, model: str) -> None:
    client = MlflowClient()
    champion = champion_version(model)
    if champion is None:
        console.print(f"Champion   {model} has none", soft_wrap=True)
        return
    version = client.get_model_version(model, champion)
    console.print(f"Champion   {model} version {version.version}", style="bold", soft_wrap=True)
    metrics = client.get_run(version.run_id).data.metrics if version.run_id else {}
    _print_pairs(console, {name: _figure(value) for name, value in sorted(metrics.items())}, "right")
    _print_pairs(console, dict(sorted(version.tags.items())))


def _print_tables(console: Console, spark: Any, schema: str) -> None:
    console.print("Rows", style="bold")
    names = sorted(
        row.tableName for row in spark.sql(f"SHOW TABLES IN {quoted_name(schema)}").collect() if not row.isTemporary
    )
    counts = {name: spark.table(quoted_name(f"{schema}.{name}")).count() for name in names}
    _print_pairs(console, {name: f"{count:,}" for name, count in counts.items()}, "right")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:.4f}"


def _print_pairs(console: Console, pairs: dict[str, str], justify: JustifyMethod = "left") -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify=justify)
    for name, value in pairs.items():
        table.add_row("  " + name, value)
    console.print(table)


def _reports_of(bundle: Bundle, workspace: Workspace) -> list[Any]:
    volume = str(bundle.resource("volumes", "files")["id"]).replace(".", "/")
    return list((workspace.volumes / volume / "reports").glob("*.html"))
