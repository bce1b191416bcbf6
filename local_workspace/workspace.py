"""The one folder that local runs write to, and the environment that a workspace would give them."""

import fcntl
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_workspace.ending import stopped
from local_workspace.errors import LocalWorkspaceError

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDER_VARIABLE = "LOCAL_WORKSPACE"
CATALOG = "spark_catalog"
# In a path, Spark reads these as a pattern.
PATTERN_SIGNS = "*?[]{}\\"


@dataclass(frozen=True)
class Workspace:
    """Where the parts of the local workspace are."""

    root: Path

    @property
    def tracking_uri(self) -> str:
        """The MLflow store, for tracking and registry both."""
        return f"sqlite:///{self.root / 'mlflow.db'}"

    @property
    def artifacts(self) -> Path:
        """Where MLflow puts the files of runs and models."""
        return self.root / "mlartifacts"

    @property
    def volumes(self) -> Path:
        """Where volumes are mounted."""
        return self.root / "Volumes"

    @property
    def online_store(self) -> Path:
        """What feature tables are published as for lookups at request time."""
        return self.root / "online_store"

    def enter(self, bundle_root: Path = REPOSITORY) -> None:
        """Makes this process one of the workspace: import path, MLflow's stores, bundle variables.

        Args:
            bundle_root: Where stages are imported from. If it is not the repository, nothing else of that is.
        """
        if bundle_root != REPOSITORY:
            bundle_root.joinpath("local_workspace").symlink_to(REPOSITORY / "local_workspace")
            sys.path[:] = [path for path in sys.path if Path(path).resolve() != REPOSITORY]
        for path in (bundle_root / "local_workspace" / "site", bundle_root):
            if str(path) not in sys.path:
                sys.path.insert(0, str(path))
        os.environ |= {
            "MLFLOW_TRACKING_URI": self.tracking_uri,
            "MLFLOW_REGISTRY_URI": self.tracking_uri,
            # The log of its database's migrations, and its bars, would run through the display of the tasks.
            "MLFLOW_CONFIGURE_LOGGING": "false",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            # A thread that waits for others of a model's fit must not hold the core that Spark could use.
            "OMP_WAIT_POLICY": "PASSIVE",
            "BUNDLE_VAR_catalog": CATALOG,
            "BUNDLE_VAR_volume_root": str(self.volumes),
            # Its default is looked up in a workspace; nothing here needs one.
            "BUNDLE_VAR_warehouse_id": "local",
            "LOCAL_ONLINE_STORE": str(self.online_store),
        }
        # Both cost little here, so they are on where nobody says otherwise.
        os.environ.setdefault("BUNDLE_VAR_serving", "true")
        os.environ.setdefault("BUNDLE_VAR_online_store", "local")
        for name in ("mlflow", "alembic", "py4j"):
            logging.getLogger(name).setLevel(logging.ERROR)


def find_workspace() -> Workspace:
    """The workspace's folder: `.local` in the repository, or what `LOCAL_WORKSPACE` names."""
    return Workspace(Path(os.environ.get(FOLDER_VARIABLE) or REPOSITORY / ".local").resolve())


@contextmanager
def open_workspace(bundle_root: Path = REPOSITORY) -> Iterator[Workspace]:
    """Makes the folder when it is not there, holds it for this process alone, and enters it."""
    workspace = find_workspace()
    _check_names(workspace.root)
    try:
        workspace.volumes.mkdir(parents=True, exist_ok=True)
        lock = (workspace.root / "lock").open("w")
    except OSError as error:
        raise LocalWorkspaceError(
            f"'{workspace.root}' can't be used as the local workspace ({error.strerror}): "
            f"move away what is there, or set {FOLDER_VARIABLE} to another folder."
        ) from None
    with stopped(lock.close):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalWorkspaceError(
                f"Another run is using '{workspace.root}': wait for it, or set {FOLDER_VARIABLE} to another folder."
            ) from None
        workspace.enter(bundle_root)
        yield workspace


def _check_names(root: Path) -> None:
    """Refuses what the libraries can't read, before anything is written elsewhere."""
    if any(sign in str(root) for sign in PATTERN_SIGNS):
        raise LocalWorkspaceError(
            f"'{root}' can't be the local workspace, as Spark takes {' '.join(PATTERN_SIGNS)} in a path for a pattern: "
            f"rename the folder, or set {FOLDER_VARIABLE} to another."
        )
    if "%" in sys.prefix:
        raise LocalWorkspaceError(
            f"MLflow can't open its store when it is installed in '{sys.prefix}', whose path has a %: "
            "move the checkout to another folder, and make the environment anew."
        )
