"""TensorFlow's graphs in tests: made, and run a few times. For processes of the engine too, so nothing else is here."""

from __future__ import annotations


def skip_optimizing() -> None:
    """Optimizing a graph takes about as long as making it, which pays only for those who run it often."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def make_none() -> None:
    """Run every operation as it comes: a few steps are done before their graph is made. Exports make theirs."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
