"""The command line: it parses arguments, gets a finished record, and prints the record."""
