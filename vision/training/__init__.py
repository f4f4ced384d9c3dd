"""Training of classifiers, and what trainings of every kind share. Importing this does not import TensorFlow."""
