"""Reading: every function takes a connection first and never writes. Only this room reads the tables."""
