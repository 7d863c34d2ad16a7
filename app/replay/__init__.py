"""Replay: a node's pages, lists and map as the node, or HQ, knew them at a given time. Nothing can be written there."""
