"""The one task of the monitoring job: what happened, what was measured, what that means, and a report."""

from datetime import datetime
from functools import partial
from pathlib import Path

from databricks.sdk import WorkspaceClient
from pyspark.sql import SparkSession

from monitoring.baseline import refresh_baseline
from monitoring.ground_truth import join_ground_truth
from monitoring.monitor import refresh_monitor
from monitoring.report import write_report
from monitoring.verdict import Verdict
from monitoring.violations import check_violations
from project.config import Config
from project.steps import Step, run_steps
from project.tables import Tables


def monitor(
    spark: SparkSession,
    client: WorkspaceClient,
    tables: Tables,
    volume: Path,
    model_name: str,
    as_of: datetime,
    may_retrain: bool,
    config: Config,
) -> Verdict:
    """Monitors the predictions as of a moment; a second run as of it leaves the same.

    Args:
        spark: the session.
        client: of the workspace, which has the monitor.
        tables: what the last refresh has left of labels, predictions, and what monitoring keeps.
        volume: gets the report, in `reports`.
        model_name: the registered model.
        as_of: nothing that became known later is read.
        may_retrain: whether a violation starts a training in this deployment.
        config: the checks.

    Raises:
        StepError: it names the step that failed; its cause says why.
    """
    judged: list[Verdict] = []

    def check() -> str:
        judged.append(check_violations(spark, tables, model_name, as_of, may_retrain, config))
        return judged[0].sentence

    run_steps(
        [
            Step("inference_log", partial(join_ground_truth, spark, tables, as_of, config)),
            Step(
                "inference_baseline",
                partial(refresh_baseline, spark, tables, model_name, as_of, config),
                after=("inference_log",),
            ),
            Step("monitor", partial(refresh_monitor, client, tables, config), after=("inference_baseline",)),
            Step("monitoring_verdicts", check, after=("monitor",)),
            Step(
                "report",
                lambda: str(write_report(spark, tables, volume, model_name, as_of, config)),
                after=("monitoring_verdicts",),
            ),
        ]
    )
    return judged[0]
