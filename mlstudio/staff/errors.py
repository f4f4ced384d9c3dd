from common.errors import Conflict


class BackupsOff(Conflict):
    code = "backups_off"
    detail = (
        "The studio keeps no backups by itself. Set MLSTUDIO_BACKUP_DIR to a folder on another disk, and start it "
        "again."
    )
