"""Floor 1: blobs, the local cache and the stores behind it."""
