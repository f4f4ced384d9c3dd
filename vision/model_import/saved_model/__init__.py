"""SavedModels read as data: TensorFlow never loads one, it computes a graph of known operations that is made of it."""
