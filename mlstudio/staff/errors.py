from common.errors import Conflict, Forbidden


class BackupsOff(Conflict):
    code = "backups_off"
    detail = (
        "The studio keeps no backups by itself. Set MLSTUDIO_BACKUP_DIR to a folder on another disk, and start it "
        "again."
    )


class WeightsOff(Forbidden):
    code = "weights_off"
    detail = (
        "Downloads of weights are switched off here (MLSTUDIO_WEIGHTS=off). Files can be added here, or on the "
        "server: manage.py weights add FILE"
    )
