"""Images as bytes and pixels: decoding, hashing, near-duplicates, EXIF."""
