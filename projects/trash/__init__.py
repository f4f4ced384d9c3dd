"""What was deleted stays for MLSTUDIO_TRASH_DAYS where nobody finds it, and can be restored."""
