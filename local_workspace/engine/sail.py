"""Sail: a Spark Connect server over DataFusion and Delta, without a JVM, in this process."""

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType

from pyspark.sql import SparkSession
from pyspark.sql.connect.client import DefaultChannelBuilder

from local_workspace.ending import stopped
from local_workspace.engine.guard import Guard
from local_workspace.engine.session import WAREHOUSE, connected
from local_workspace.workspace import CATALOG

# Sail reads these when it is imported.
_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "RUST_LOG": "off",
        "SAIL_CATALOG__LIST": f'[{{name="{CATALOG}", type="memory", initial_database=["default"]}}]',
        "SAIL_CATALOG__DEFAULT_CATALOG": CATALOG,
        "SAIL_EXECUTION__DEFAULT_PARALLELISM": "2",
        # A session is as old as its run, however long a person stays at a breakpoint.
        "SAIL_SPARK__SESSION_TIMEOUT_SECS": str(7 * 24 * 3600),
    }
)


@contextmanager
def connect(root: Path) -> Iterator[SparkSession]:
    """A session on a server that listens on this machine alone, on a port that is free."""
    with ExitStack() as stack:
        with _interrupts_kept():
            channel = stack.enter_context(serve())
            channel.add_interceptor(Guard(root / WAREHOUSE))
            spark = stack.enter_context(connected(channel))
        # The client would look up where each part of a query was written, which Sail's errors never say.
        spark.conf.set("spark.python.sql.dataFrameDebugging.enabled", "false")
        yield spark


@contextmanager
def serve() -> Iterator[DefaultChannelBuilder]:
    """The server, for as long as the block lasts, and how it is reached."""
    os.environ |= _SETTINGS
    from pysail.spark import SparkConnectServer  # noqa: PLC0415 (it reads the environment)

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address
    with stopped(server.stop):
        yield DefaultChannelBuilder(f"sc://{host}:{port}")


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Keeps Ctrl+C for this process: Sail takes it for itself as it starts, and would leave its client to wait.

    Until it has answered the first calls it may still do so; an interrupt meanwhile waits.
    """
    former = signal.getsignal(signal.SIGINT)
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, former)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
