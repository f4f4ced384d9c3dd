"""Floor 5: trainings and their life cycle; `training/engine` holds the Keras code."""
