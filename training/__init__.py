"""Floor 5: trainings and their life cycle; `vision/training` holds the Keras code."""
