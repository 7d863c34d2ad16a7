"""The log, the merge and the links between nodes. Knows no web framework and no disaster."""
