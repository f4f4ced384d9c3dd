from rest_framework.exceptions import APIException

from jobs.errors import Conflict


class RevisionConflict(Conflict):
    default_code = "revision_conflict"
    default_detail = "Someone else changed this image's annotations meanwhile: read it again and repeat your change."


class LabelExists(Conflict):
    default_code = "label_exists"
    default_detail = "The project has a label with this name. To join two labels use merge."


class HotkeyInUse(Conflict):
    default_code = "hotkey_in_use"
    default_detail = "Another label of the project has this key."


class AnnotationDeleted(RevisionConflict):
    default_code = "annotation_deleted"
    default_detail = "An annotation that was to be changed is gone: read the image's annotations again."


class LabelDeleted(Conflict):
    default_code = "label_deleted"
    default_detail = "The label was deleted or merged meanwhile: read the labels again and repeat your change."


class LabelInUse(Conflict):
    default_code = "label_in_use"
    default_detail = (
        "Images carry this label: say with ?images= what happens to them (unlabel, delete, or move with move_to=LABEL)."
    )


class VideoExists(Conflict):
    default_code = "video_exists"
    default_detail = "The dataset has this video already."


class FramesExist(Conflict):
    default_code = "frames_exist"
    default_detail = "Frames of this video are in the dataset: say with ?frames= what happens to them (keep, delete)."


class NotAVideo(APIException):
    status_code = 400
    default_code = "not_a_video"


class FrameMissing(APIException):
    status_code = 404
    default_code = "not_found"
    default_detail = "The video has no such frame."


class FramesBusy(APIException):
    status_code = 503
    default_code = "server_busy"
    default_detail = "Too many frames of videos are being read at this moment. Try again in a few seconds."
    wait = 5


class NothingToSnapshot(APIException):
    status_code = 400
    default_code = "no_labelled_images"
    default_detail = "The dataset has no labelled images. Label images first, then take a snapshot."


class DatasetChanged(Conflict):
    default_code = "dataset_changed"
    default_detail = "Images were deleted while the snapshot was taken. Nothing was kept; take it again."


class SnapshotIsRecord(Conflict):
    default_code = "snapshot_without_images"
    default_detail = "The dataset of this snapshot was deleted with its images: choose another snapshot, or a dataset."
