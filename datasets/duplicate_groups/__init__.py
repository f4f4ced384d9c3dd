"""Groups of duplicates as rows, so that they can be paged and decided one after the other."""
