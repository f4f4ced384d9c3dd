"""Pictures as bytes and pixels: decoding, hashing, look-alikes, EXIF. No Django; engines build on it."""
