"""The retrieval study (Borgeaud et al. 2021): RETRO against models without retrieval, at equal FLOPs and equal tokens.

    corpus ──> database ──> neighbours ──> runs ──> nats of each held-out token ──> analysis

- `configuration`   what is asked, and the four scales
- `grid`            which models at which budgets, retrieval counted
- `materials`       corpus, database, neighbours of training and held-out text, overlaps
- `settings`        in which ways a model is scored: k, size of the database, off
- `unit`            one run, in a worker
- `study`           from a corpus to an analysis
- `scores`          nats of tokens as sums over chunks and documents
- `resampling`      documents drawn with replacement, the same for all models
- `comparisons`     differences with intervals: by size, by subset, by k, by size of the database
- `copying`         filtered bits per byte: what is left of the gain without long overlaps
- `multiplier`      FLOPs that a model without retrieval needs for the same bits per byte
- `split`           parameters, tokens and database size: the measured best and a law
- `costs`           FLOPs of every part of retrieval
- `examples`        held-out chunks with their neighbours, and where these helped
- `claims`          verdicts
- `notes`           caveats
- `document`        all of it as JSON
- `estimate`        what it will cost
"""
