"""The commands: one module a verb, with ``command`` (click) and, where a node is asked, ``perform``."""
