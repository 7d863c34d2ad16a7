"""Every limit of the protocol, with its unit last (docs/protocol.md)."""

BODY_BYTES_MAX = 16 * 1024
FIELDS_MAX = 64
DEPTH_MAX = 8
TEXT_BYTES_MAX = 8 * 1024
KIND_BYTES_MAX = 64
NAMES_MAX = 256  # versions in `replaces` and in `after`
REVOCATION_STREAMS_MAX = 320  # of 46 bytes at most: with a reason they fit into a body

RUN_OPS_MAX = 500
SEGMENT_OPS_MAX = 100  # gathered under one signature: the receiver may commit between two of them
RUN_COMPRESSED_BYTES_MAX = 64 * 1024
RUN_INFLATED_BYTES_MAX = 1024 * 1024
FIRST_RUN_BYTES = 8 * 1024
RUNS_IN_FLIGHT_MAX = 4
SEGMENTS_HELD_MAX = 64
PART_BYTES_MAX = 512 * 1024  # of a run that spans a fork, where there is a choice
FRAME_BYTES_MAX = 256 * 1024
RAW_TO_COMPRESSED = 3  # how much larger a run may be before it is compressed
VECTOR_STREAMS_MAX = 50_000
VECTOR_BYTES_MAX = 4 * 1024 * 1024
REFUSALS_MAX = 3

CHUNK_BYTES_MIN = 4 * 1024
CHUNK_BYTES_MAX = 64 * 1024
CHUNK_BYTES_FIRST = 8 * 1024
CHUNK_MS = 250  # what one chunk may take of the line: nothing waits longer behind it
BLOB_BYTES_MAX = 1 << 33
SIZE_UNKNOWN_BYTES_MAX = 32 * 1024 * 1024  # of a file of which no record says how large it is
NAMES_AT_ONCE_MAX = 500  # in `have` and `seek`
NAMES_AT_ONCE_MIN = 32
SOUGHT_MAX = 20_000  # names of a peer's `seek` that are remembered, to tell it when they come

FRONTIER_STEPS_MAX = 500  # in one frame
FRONTIER_EVERY_MS = 60_000  # how coarse a frontier is told, and how often

SIGN_EVERY_OPS = 100
SIGN_EVERY_BYTES = 8 * 1024  # so that a new link, or a slow one, can be sent as little as this

BATCH_OPS_MAX = 500
BATCH_MS_MAX = 50
WRITER_QUEUE_MAX = 2_000  # jobs that wait for the writer

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
