"""The Delta jars: fetched once by their coordinates, then used from inside the virtual environment."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from local_workspace.environment import clean_environment
from local_workspace.errors import LocalWorkspaceError

_SCALA = "2.13"
# Spark ships these; a second copy on the class path only makes noise.
_EXCLUDED = "org.apache.logging.log4j:*,org.slf4j:*,com.google.code.findbugs:*"


def delta_jars() -> list[Path]:
    """The jars, which `fetch_delta_jars` put where they are."""
    jars = sorted(_folder().glob("jars/*.jar"))
    if not any(jar.name.startswith("io.delta_delta-spark") for jar in jars):
        raise LocalWorkspaceError("The Delta jars are not installed: run 'make spark' (it needs the network).")
    return jars


def fetch_delta_jars() -> list[Path]:
    """Has Spark resolve Delta's coordinates, once; needs the network the first time only."""
    folder = _folder()
    if not any(folder.glob("jars/io.delta_delta-spark*.jar")):
        # A process of its own: Spark resolves packages when its JVM starts.
        done = subprocess.run(  # noqa: S603 (our own interpreter, fixed words)
            [sys.executable, "-c", _RESOLVE, str(folder), delta_coordinates(), _EXCLUDED],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            folder.mkdir(parents=True, exist_ok=True)
            log = folder / "resolve.log"
            log.write_text(done.stdout + done.stderr, encoding="utf-8")
            raise LocalWorkspaceError(
                f"The Delta jars ({delta_coordinates()}) could not be downloaded: check the network, "
                f"or set up Ivy for your mirror of Maven Central (details: {log})."
            )
    return delta_jars()


def delta_coordinates() -> str:
    """The Maven coordinates of the Delta release that fits the installed packages."""
    spark = ".".join(version("pyspark").split(".")[:2])
    return f"io.delta:delta-spark_{spark}_{_SCALA}:{version('delta-spark')}"


def _folder() -> Path:
    return Path(sys.prefix) / "share" / f"delta-jars-{version('delta-spark')}"


_RESOLVE = """
import sys
from pyspark.sql import SparkSession
folder, packages, excludes = sys.argv[1:]
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
builder = builder.config("spark.jars.ivy", folder).config("spark.jars.packages", packages)
builder.config("spark.jars.excludes", excludes).config("spark.driver.host", "127.0.0.1").getOrCreate().stop()
"""

if __name__ == "__main__":
    clean_environment()
    fetch_delta_jars()
