"""The gallery: any place in a list of images at once, with counts beside each filter, among a million images."""
