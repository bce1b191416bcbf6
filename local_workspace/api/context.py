"""What an API's module gets to answer with."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import SparkSession

from local_workspace.api.documents import Documents
from local_workspace.workspace import Workspace


@dataclass(frozen=True)
class Context:
    """The local workspace as the service sees it.

    Attributes:
        workspace: where files are.
        spark: gives the session that jobs run in.
    """

    workspace: Workspace
    spark: Callable[[], SparkSession]

    def documents(self, kind: str) -> Documents:
        """What an API remembers from one run to the next, such as its endpoints or monitors."""
        return Documents(self.workspace.root / "api" / kind)
