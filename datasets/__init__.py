"""Floor 3: labels, datasets, images, annotations, imports, snapshots."""
