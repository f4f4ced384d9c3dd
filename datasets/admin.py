from django.contrib import admin

from datasets.models import Dataset, Image, Label, Snapshot, Video
from storage.admin import LookOnlyAdmin


@admin.register(Label)
class LabelAdmin(LookOnlyAdmin):
    list_display = ("name", "project", "color", "order")
    search_fields = ("name", "project__name")


@admin.register(Dataset)
class DatasetAdmin(LookOnlyAdmin):
    list_display = ("name", "project", "image_count", "created_at")
    search_fields = ("name", "project__name")


@admin.register(Image)
class ImageAdmin(LookOnlyAdmin):
    list_display = ("filename", "dataset", "width", "height", "format", "size", "split", "created_at")
    list_filter = ("format", "split")
    search_fields = ("filename",)
    show_full_result_count = False


@admin.register(Snapshot)
class SnapshotAdmin(LookOnlyAdmin):
    list_display = ("dataset", "number", "digest", "created_at")


@admin.register(Video)
class VideoAdmin(LookOnlyAdmin):
    list_display = ("filename", "dataset", "container", "codec", "width", "height", "frame_count", "note", "created_at")
    list_filter = ("container", "codec")
    search_fields = ("filename",)
