from django.urls import path

from custom_vision.views.copies import CopiesView

urlpatterns = [
    path("projects/custom-vision/", CopiesView.as_view({"post": "start"}), name="custom-vision-copies"),
    path("projects/custom-vision/sources/", CopiesView.as_view({"post": "sources"}), name="custom-vision-sources"),
]
