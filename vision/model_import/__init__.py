"""Networks from elsewhere. Nothing in a file is executed: it is looked at first, and built of known layers only."""
