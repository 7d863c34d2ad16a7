"""Gives the operations their meaning: records, queries, views and the command line of a node."""
