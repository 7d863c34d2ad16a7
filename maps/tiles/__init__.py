"""Packages of tiles: made at the import, tested when they come from elsewhere, and MBTiles turned into PMTiles.

Before: ``prepare`` and ``importers.package``. After: the map page reads one PMTiles file a layer, by ranges.
"""
