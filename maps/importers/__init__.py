"""Readers of the files a city has: hazard layers, shelters, boundaries, basemaps. Pure of the app and the web.

Before: ``app.imports`` names a file, in a child process. After: ``maps.prepare`` cuts layers into files that travel;
records of shelters go to the node. The geographic libraries are loaded when a file is opened, not before.
"""
