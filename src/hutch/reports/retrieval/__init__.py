"""The page of the retrieval study.

- `looks`       how each kind of model is drawn, everywhere
- `gains`       gain against the size of the database, and against k
- `overlaps`    bits per byte and gain against the overlap that is allowed
- `isoflop`     bits per byte against parameters, with retrieval and without
- `frontier`    bits per byte against compute
- `forest`      the gain on each subset
- `tables`      the same, exactly
- `examples`    held-out chunks with their neighbours
- `sections`    the page
- `terminal`    the summary for a terminal
"""
