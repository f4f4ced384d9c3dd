from django.contrib import admin

from datasets.models import Dataset, Image, Label, Snapshot


@admin.register(Label)
class LabelAdmin(admin.ModelAdmin):
    list_display = ("name", "project", "color", "order")
    search_fields = ("name", "project__name")


@admin.register(Dataset)
class DatasetAdmin(admin.ModelAdmin):
    list_display = ("name", "project", "image_count", "created_at")
    search_fields = ("name", "project__name")


@admin.register(Image)
class ImageAdmin(admin.ModelAdmin):
    list_display = ("filename", "dataset", "width", "height", "format", "size", "split", "created_at")
    list_filter = ("format", "split")
    search_fields = ("filename",)
    raw_id_fields = ("dataset", "blob")
    show_full_result_count = False


@admin.register(Snapshot)
class SnapshotAdmin(admin.ModelAdmin):
    list_display = ("dataset", "number", "digest", "created_at")
    readonly_fields = [field.name for field in Snapshot._meta.fields]
