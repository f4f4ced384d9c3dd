"""One table of addresses. Case, version, a doubled slash in front and a slash at the end make no difference."""

from __future__ import annotations

import re

from django.urls import URLPattern, re_path
from rest_framework.views import APIView

from custom_vision.views import downloads, images, iterations, predictions, projects, regions


def any_case(word: str) -> str:
    """A pattern of the word in any case. Not a flag: Django makes addresses of its patterns, and knows none."""
    return "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else re.escape(char) for char in word)


_ROOT = rf"^(?:/*){any_case('customvision')}"
_VERSION = rf"{any_case('v3')}[\w.-]*"
TRAINING = rf"{_ROOT}/+{_VERSION}/{any_case('training')}/"
PREDICTION = rf"{_ROOT}/+{_VERSION}/{any_case('prediction')}/"
ELSEWHERE = rf"{_ROOT}(?:/|\Z)"


def at(address: str, view: type[APIView]) -> URLPattern:
    """`{name}` stands for one part of the address, `{name*}` for one that may have slashes in it."""
    pattern = ""
    for word in re.split(r"(\{\w+\*?\})", address):
        if word.startswith("{"):
            name = word.strip("{}*")
            pattern += rf"(?P<{name}>{'.+?' if '*' in word else '[^/]+'})"
        else:
            pattern += any_case(word)
    return re_path(f"^{pattern}/?\\Z", view.as_view())


training = [
    at("domains", projects.Domains),
    at("domains/{domain}", projects.OneDomain),
    at("projects", projects.Projects),
    at("projects/import", projects.ImportProject),
    at("projects/{project}", projects.OneProject),
    at("projects/{project}/export", projects.ExportProject),
    at("projects/{project}/tags", projects.Tags),
    at("projects/{project}/tags/{tag}", projects.OneTag),
    at("projects/{project}/artifacts", images.Artifacts),
    at("projects/{project}/images", images.Images),
    at("projects/{project}/images/count", images.ImageCount),
    at("projects/{project}/images/files", images.ImagesFromFiles),
    at("projects/{project}/images/id", images.ImagesById),
    at("projects/{project}/images/metadata", images.Metadata),
    at("projects/{project}/images/predictions", images.ImagesFromPredictions),
    at("projects/{project}/images/regions", regions.Regions),
    at("projects/{project}/images/{image}/regionproposals", regions.Proposals),
    at("projects/{project}/images/suggested", predictions.Suggested),
    at("projects/{project}/images/suggested/count", predictions.SuggestedCount),
    at("projects/{project}/images/tagged", images.TaggedImages),
    at("projects/{project}/images/tagged/count", images.TaggedCount),
    at("projects/{project}/images/untagged", images.UntaggedImages),
    at("projects/{project}/images/untagged/count", images.UntaggedCount),
    at("projects/{project}/images/tags", images.ImageTags),
    at("projects/{project}/images/urls", images.ImagesFromUrls),
    at("projects/{project}/iterations", iterations.Iterations),
    at("projects/{project}/iterations/{iteration}", iterations.OneIteration),
    at("projects/{project}/iterations/{iteration}/performance", iterations.Performance),
    at("projects/{project}/iterations/{iteration}/export", iterations.Exports),
    at("projects/{project}/iterations/{iteration}/export/{name}", downloads.ExportFile),
    at("projects/{project}/iterations/{iteration}/performance/images", iterations.ImagePerformance),
    at("projects/{project}/iterations/{iteration}/performance/images/count", iterations.ImagePerformanceCount),
    at("projects/{project}/iterations/{iteration}/publish", iterations.Publish),
    at("projects/{project}/predictions", predictions.StoredPredictions),
    at("projects/{project}/predictions/query", predictions.QueryPredictions),
    at("projects/{project}/predictions/{prediction}/image", downloads.PredictionImage),
    at("projects/{project}/quicktest/image", predictions.QuickTestImage),
    at("projects/{project}/quicktest/url", predictions.QuickTestUrl),
    at("projects/{project}/tagsandregions/suggestions", predictions.Suggest),
    at("projects/{project}/train", iterations.Train),
]
prediction = [
    at("{project}/classify/iterations/{name*}/image", predictions.ClassifyImage),
    at("{project}/classify/iterations/{name*}/image/nostore", predictions.ClassifyImageWithoutStore),
    at("{project}/classify/iterations/{name*}/url", predictions.ClassifyUrl),
    at("{project}/classify/iterations/{name*}/url/nostore", predictions.ClassifyUrlWithoutStore),
    at("{project}/detect/iterations/{name*}/image", predictions.DetectImage),
    at("{project}/detect/iterations/{name*}/image/nostore", predictions.DetectImageWithoutStore),
    at("{project}/detect/iterations/{name*}/url", predictions.DetectUrl),
    at("{project}/detect/iterations/{name*}/url/nostore", predictions.DetectUrlWithoutStore),
]
