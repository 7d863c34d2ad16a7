"""The disk of a node: engine, keys, folder, tables. Everything in the tables can be rebuilt from the log."""
