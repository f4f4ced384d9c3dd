"""Runs models of ML Studio on a device: pulls them, verifies them, predicts, reports; offline it goes on predicting."""

__version__ = "0.1.0"
