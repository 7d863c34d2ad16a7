"""A city's own files come in: read and cut in a child process, handed to the node as a whole or not at all.

Before: ``commands.import_`` names a file. After: ``app.layers`` publishes layers, ``imports.shelters`` writes records.
"""
