"""Images and models without a server: formats, decoding, training, detection, exporting, running. No Django.

`vision.imaging` and `vision.runtime` run on devices; `vision.engine` is the process in which the studio trains.
"""
