"""Studies: named questions, each a grid of runs, an analysis that reads only the ledger, and claims with verdicts."""
