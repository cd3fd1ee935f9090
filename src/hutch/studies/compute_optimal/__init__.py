"""The compute-optimal study (Hoffmann et al. 2022): isoFLOP profiles, three fits, and the Chinchilla test.

- `configuration`    what is asked, and the four scales
- `grid`             which models at which budgets
- `unit`             one run, in a worker
- `study`            from a corpus to an analysis
- `refusals`         what is refused before anything is trained
- `scores`           nats of held-out documents as losses
- `analysis`         the fits, the prediction, the held-out budget
- `head_to_head`     the Chinchilla test: the predicted optimum against a Gopher-like model
- `claims`           verdicts
- `notes`            caveats
- `document`         all of it as JSON
"""
