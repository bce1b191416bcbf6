"""JVM Spark with Delta, the judge of the local engine: what runs in `.venv-spark`, and nothing else does."""
