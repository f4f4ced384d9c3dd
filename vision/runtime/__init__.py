"""What serving needs and a device can carry: decoding, LiteRT, metrics. No Django, no TensorFlow."""
