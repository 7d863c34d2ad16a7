"""A node in one file, encrypted: made beside a running node, checked anywhere, put back on any machine."""
