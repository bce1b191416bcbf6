"""What runs the local workspace's Spark: a Spark Connect server, reached by Spark's own client.

`ENGINE` in the environment names it: `sail` (the default: Rust, in this process) or `spark` (Spark's own, on a JVM).
Everything else of the local workspace, the stages included, sees a Spark session and no engine.
"""

from local_workspace.engine.session import ENGINE_VARIABLE, open_session

__all__ = ["ENGINE_VARIABLE", "open_session"]
