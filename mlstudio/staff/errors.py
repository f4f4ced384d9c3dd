from jobs.errors import Conflict


class BackupsOff(Conflict):
    default_code = "backups_off"
    default_detail = (
        "The studio keeps no backups by itself. Set MLSTUDIO_BACKUP_DIR to a folder on another disk, and start it "
        "again."
    )
