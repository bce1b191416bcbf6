"""Sail: a Spark Connect server over DataFusion and Delta, without a JVM, in this process."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from pyspark.sql.connect.client import ChannelBuilder, DefaultChannelBuilder

from local_workspace.engine.guard import Guard
from local_workspace.engine.session import WAREHOUSE
from local_workspace.workspace import CATALOG

# Sail reads these when it is imported.
_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "RUST_LOG": "off",
        "TZ": "UTC",
        "SAIL_CATALOG__LIST": f'[{{name="{CATALOG}", type="memory", initial_database=["default"]}}]',
        "SAIL_CATALOG__DEFAULT_CATALOG": CATALOG,
        "SAIL_EXECUTION__DEFAULT_PARALLELISM": "2",
        # A session is as old as its run, however long a person stays at a breakpoint.
        "SAIL_SPARK__SESSION_TIMEOUT_SECS": str(7 * 24 * 3600),
    }
)


@contextmanager
def serve(root: Path) -> Iterator[ChannelBuilder]:
    """Listens on this machine alone, on a port that is free, for as long as the block lasts."""
    os.environ |= _SETTINGS
    time.tzset()
    from pysail.spark import SparkConnectServer  # noqa: PLC0415 (it reads the environment)

    server = SparkConnectServer("127.0.0.1", 0)
    with _interrupts_kept():
        server.start(background=True)
    host, port = server.listening_address
    channel = DefaultChannelBuilder(f"sc://{host}:{port}")
    channel.add_interceptor(Guard(root / WAREHOUSE))
    try:
        yield channel
    finally:
        server.stop()


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Sail takes Ctrl+C for itself when it starts, and would leave its client to wait for an answer."""
    former = signal.getsignal(signal.SIGINT)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, former)
