"""Files of a trained model for other runtimes: written, run on real images, measured, and only then offered."""
