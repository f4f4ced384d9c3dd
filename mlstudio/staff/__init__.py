"""What the staff does from the pages: people, backups, and what the studio says of itself."""
