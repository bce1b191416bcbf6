"""The tables of the stack, by name."""

from dataclasses import dataclass


def quoted(*parts: str) -> str:
    """A table's or column's name as Spark and SQL take it, whatever characters are in its parts."""
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)


def quoted_name(table: str) -> str:
    """A full name without quotes, catalog.schema.table, as Spark and SQL take it."""
    return quoted(*table.split("."))


def plain(table: str) -> str:
    """A quoted full name as the feature client and the workspace's API take it: catalog.schema.table."""
    return table.replace("`", "")


@dataclass(frozen=True)
class Tables:
    """Full names of every table that one deployment reads and writes, quoted: a catalog such as `ml-prod` needs it."""

    catalog: str
    schema: str

    @property
    def full_schema(self) -> str:
        """The schema that they are in, with its catalog, quoted."""
        return quoted(self.catalog, self.schema)

    def named(self, table: str) -> str:
        """The full name of a table that a registry names: of a source, of labels, of features."""
        return quoted(self.catalog, self.schema, table)

    @property
    def quarantine(self) -> str:
        """Rows that broke the contract, each with the reason."""
        return self.named("quarantine")

    @property
    def refreshed_tables(self) -> str:
        """How far each bronze, label and feature table has been brought, and by which definition."""
        return self.named("refreshed_tables")

    @property
    def labels(self) -> str:
        """What came of each subject of a prediction: its outcome, its label, and since when that is known."""
        return self.named("labels")

    @property
    def validation_verdicts(self) -> str:
        """One row a judged model version: passed or not, and why."""
        return self.named("validation_verdicts")

    @property
    def validation_scores(self) -> str:
        """The rows that a model version was judged on: inputs, label, prediction."""
        return self.named("validation_scores")

    @property
    def validation_metrics(self) -> str:
        """The figures behind a verdict: one row a model version and slice."""
        return self.named("validation_metrics")

    @property
    def promotions(self) -> str:
        """Every promotion, refusal and rollback, with the champion before it."""
        return self.named("promotions")

    @property
    def approvals(self) -> str:
        """What a person has said of a version: waiting, approved or rejected, by whom."""
        return self.named("approvals")

    @property
    def predictions(self) -> str:
        """Append-only scores by subject, model version and as_of."""
        return self.named("predictions")

    @property
    def latest_predictions(self) -> str:
        """What consumers read: the newest prediction of each subject."""
        return self.named("latest_predictions")

    @property
    def inference_log(self) -> str:
        """Predictions with the labels that have become known."""
        return self.named("inference_log")

    @property
    def inference_baseline(self) -> str:
        """What the inference log is compared with: the rows that each version in use was validated on."""
        return self.named("inference_baseline")

    @property
    def profile_metrics(self) -> str:
        """Figures of the inference log by day, model version, slice and column; the monitor writes them."""
        return self.named("inference_log_profile_metrics")

    @property
    def drift_metrics(self) -> str:
        """Distance of each day from the baseline, by column; the monitor writes them."""
        return self.named("inference_log_drift_metrics")

    @property
    def column_drift(self) -> str:
        """How far each column of the last week was from what is usual, in its own bounds; a row a column and moment."""
        return self.named("column_drift")

    @property
    def monitoring_verdicts(self) -> str:
        """What monitoring found as of each moment: a row for all, and a row a check and place."""
        return self.named("monitoring_verdicts")
