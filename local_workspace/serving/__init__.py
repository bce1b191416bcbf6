"""Model serving on this machine: what answers `/serving-endpoints/<name>/invocations`."""
