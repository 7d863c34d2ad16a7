"""The door for strangers' files: photos and voice memos are looked at, made anew without metadata, and kept as blobs.

`sniff` says what the bytes are, `picture` and `voice` run in a child process, `receive` joins them, `naming` lets a
record name what was taken in. Nothing is imported here: the children start fast because of it.
"""
