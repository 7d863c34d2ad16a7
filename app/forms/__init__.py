"""What a browser's form says, as the fields of a record. Pure; before: views, after: records."""
