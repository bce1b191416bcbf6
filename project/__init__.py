"""What every stage may know: the configuration, the names of the tables, and how a table is written."""
