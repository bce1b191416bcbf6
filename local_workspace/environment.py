"""The environment of a local run: what the user's shell says of other Sparks, stores and projects is not for it.

It needs nothing but Python's standard library, as what it unsets must be gone before a library reads it.
"""

import os
import sys
import time
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parent.parent
USE_CASE_VARIABLE = "USE_CASE"
_OF_OTHERS = ("SPARK_", "PYSPARK_", "HADOOP_", "SAIL_", "MLFLOW_", "DATABRICKS_")
# A deployed run is told by them where it came from; any other sets its own before it asks.
_KEPT = {"DATABRICKS_HOST", "DATABRICKS_TOKEN"}
_PROXY_EXCEPTIONS = ("no_proxy", "NO_PROXY")
_THIS_MACHINE = ("localhost", "127.0.0.1")


def clean_environment() -> None:
    """Makes this process, and what it starts, run as from a shell that sets nothing.

    What stays: `LOCAL_WORKSPACE`, `ENGINE` and `USE_CASE`, which are for local runs, `BUNDLE_VAR_<name>`, as the CLI
    obeys it, and proxies, through which a stage may fetch data, but for what is on this machine.
    """
    for name in [name for name in os.environ if name.startswith(_OF_OTHERS) and name not in _KEPT]:
        del os.environ[name]
    clean_import_path()
    use_other_use_case()
    direct = next((given for name in _PROXY_EXCEPTIONS if (given := os.environ.get(name))), "")
    # A star is for all hosts, and stands alone.
    if direct != "*":
        direct = ",".join(dict.fromkeys([*filter(None, direct.split(",")), *_THIS_MACHINE]))
    os.environ |= dict.fromkeys(_PROXY_EXCEPTIONS, direct) | {"TZ": "UTC"}
    time.tzset()


def use_other_use_case() -> None:
    """Takes the use case from the folder that `USE_CASE` names, which has a folder `use_case`: `samples/small`."""
    if folder := os.environ.get(USE_CASE_VARIABLE):
        path = str(Path(folder).resolve())
        if not Path(path, "use_case").is_dir():
            raise SystemExit(f"error: {USE_CASE_VARIABLE} names {folder}, which has no folder use_case")
        sys.path[:] = [path, *(one for one in sys.path if one != path)]
        os.environ[USE_CASE_VARIABLE] = path


def clean_import_path() -> None:
    """Takes what `PYTHONPATH` has put before the environment's packages off the path, but for our own folders."""
    given = os.environ.pop("PYTHONPATH", "").split(os.pathsep)
    resolved = {path: Path(path).resolve() for path in given if path}
    own = [path for path, folder in resolved.items() if folder.is_relative_to(_REPOSITORY)]
    # Python's and the environment's own are on it in any case.
    foreign = {path for path in resolved if path not in own and not path.startswith((sys.prefix, sys.base_prefix))}
    sys.path[:] = [path for path in sys.path if path not in foreign]
    if own:
        os.environ["PYTHONPATH"] = os.pathsep.join(own)
