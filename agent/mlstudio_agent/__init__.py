"""Runs models of ML Studio on a device: pulls them, proves them, predicts, reports; offline it just goes on."""

__version__ = "0.1.0"
