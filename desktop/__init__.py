"""Opens a node in a window of its own."""
