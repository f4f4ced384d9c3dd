from common.errors import Conflict, StudioError


class RevisionConflict(Conflict):
    code = "revision_conflict"
    detail = "Someone else changed this image's annotations meanwhile: read it again and repeat your change."


class LabelExists(Conflict):
    code = "label_exists"
    detail = "The project has a label with this name. To join two labels use merge."


class HotkeyInUse(Conflict):
    code = "hotkey_in_use"
    detail = "Another label of the project has this key."


class AnnotationDeleted(RevisionConflict):
    code = "annotation_deleted"
    detail = "An annotation that was to be changed is gone: read the image's annotations again."


class LabelDeleted(Conflict):
    code = "label_deleted"
    detail = "The label was deleted or merged meanwhile: read the labels again and repeat your change."


class LabelInUse(Conflict):
    code = "label_in_use"
    detail = (
        "Images carry this label: say with ?images= what happens to them (unlabel, delete, or move with move_to=LABEL)."
    )


class VideoExists(Conflict):
    code = "video_exists"
    detail = "The dataset has this video already."


class FramesExist(Conflict):
    code = "frames_exist"
    detail = "Frames of this video are in the dataset: say with ?frames= what happens to them (keep, delete)."


class NotAVideo(StudioError):
    status = 400
    code = "not_a_video"


class FrameMissing(StudioError):
    status = 404
    code = "not_found"
    detail = "The video has no such frame."


class FramesBusy(StudioError):
    status = 503
    code = "server_busy"
    detail = "Too many frames of videos are being read at this moment. Try again in a few seconds."
    wait = 5


class NothingToSnapshot(StudioError):
    status = 400
    code = "no_labelled_images"
    detail = "The dataset has no labelled images. Label images first."


class DatasetChanged(Conflict):
    code = "dataset_changed"
    detail = "Images were deleted while the snapshot was taken. Nothing was kept; take it again."


class SnapshotIsRecord(Conflict):
    code = "snapshot_without_images"
    detail = "The dataset of this snapshot was deleted with its images: choose another snapshot, or a dataset."
