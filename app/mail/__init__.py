"""Mail of a call-out: a letter for each called person, kept in a spool until the city's mail server has it."""
