"""Tables of runs, read from files and ledgers, checked row by row."""
