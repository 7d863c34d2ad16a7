"""Who may log in on this node, and how: one idea a file. ``accounts`` is the door to this room.

Everything here stays on this node (local tables, no operation, no link), but names, roles and teams of people and the
notes of who was vouched for or reset: those are operations that ``roster`` writes.
"""
