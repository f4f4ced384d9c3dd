"""TensorFlow's graphs in tests: made, and run a few times. For processes of the engine too, so nothing else is here."""

from __future__ import annotations


def skip_optimizing() -> None:
    """Optimizing a graph takes about as long as making it, which pays only for those who run it often."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
