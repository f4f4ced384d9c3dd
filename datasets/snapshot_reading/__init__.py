"""What is in a snapshot, and what differs between two of them."""
