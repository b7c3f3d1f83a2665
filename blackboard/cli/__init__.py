"""The command line: it parses, asks for a finished record, and prints it."""
