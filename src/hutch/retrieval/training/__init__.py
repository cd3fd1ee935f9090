"""Models that retrieve: trained, evaluated, asked for text.

    corpus ──> database ──> neighbours of each chunk ──> run ──> bits per byte with and without retrieval

- `neighbour_batches`     batches with the neighbours of each chunk
- `retro_train_config`    everything that the weights depend on
- `retro_training`        from scratch, or around a frozen decoder
- `retro_request`         what somebody asks for
- `retro_folder`          a run in its folder
- `retrieved_likelihood`  nats of held-out tokens
- `retro_evaluation`      bits per byte by subset, neighbours, database size
- `retro_reading`         a text that a model reads while it retrieves
- `retrieving_model`      a run as a `LanguageModel`
"""
