"""The keras-retinanet package and its models, in a process of its own.

The package was written for Keras 2. It works with `tf_keras`, when TensorFlow and everybody who imports `keras` get
that one. Keras 3 cannot be in the same process, so this package refuses to be imported where it is.
"""

from __future__ import annotations

import os
import sys

if "keras" in sys.modules and sys.modules["keras"].__name__ != "tf_keras":
    raise ImportError("vision.legacy_retinanet needs a process in which Keras 3 was not imported")
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import tf_keras

sys.modules["keras"] = tf_keras  # keras-resnet imports it by this name
