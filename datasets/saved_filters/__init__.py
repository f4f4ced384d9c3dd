"""Named filters of a gallery: everybody's own, and those that they share with the project."""
