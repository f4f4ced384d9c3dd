"""The training engine: Keras code without Django, usable from a notebook.

It runs in a process of its own (`python -m training.engine`), which reads a request from a folder and reports
by JSON lines. Importing this package or its catalogue does not import TensorFlow.
"""
