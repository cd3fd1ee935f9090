"""The three approaches of Hoffmann et al. 2022, each with its intervals."""
