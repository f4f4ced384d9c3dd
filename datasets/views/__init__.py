"""Labels, datasets, images, videos and snapshots over HTTP."""
