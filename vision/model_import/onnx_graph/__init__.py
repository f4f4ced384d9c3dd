"""An ONNX graph as a Keras network of ordinary layers, so that it trains and exports like any other.

ONNX has channels first, TensorFlow on a CPU computes with channels last. A tensor of four axes is therefore kept with
its channels last and remembered as *turned*; only where the order matters (a flattening of a map) it is turned back.
"""
