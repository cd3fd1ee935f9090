"""From a budget to a training run that can be started."""
