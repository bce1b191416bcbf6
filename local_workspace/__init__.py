"""A Databricks workspace's part, on this machine: the bundle's jobs run here as they run there."""
