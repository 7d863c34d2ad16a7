"""Draws maps and answers hazard questions from files on this machine; knows nothing of sync or Flask."""
