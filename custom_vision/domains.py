"""The domains that programs name by their ids, and the network that each stands for here."""

from __future__ import annotations

from dataclasses import dataclass

from custom_vision.errors import Refused, missing
from projects.models import Project, Task
from vision.training.architectures import ARCHITECTURES, find_weights

CLASSIFICATION, DETECTION = "Classification", "ObjectDetection"
PLATFORMS = ["TensorFlow", "ONNX"]


@dataclass(frozen=True)
class Domain:
    """What a project is about. `architecture` is taken where its pretrained weights are on this machine; "" and
    elsewhere the studio chooses as for every training."""

    id: str
    name: str
    type: str
    architecture: str = ""

    @property
    def is_exportable(self) -> bool:
        return "(compact)" in self.name

    def to_dict(self) -> dict:
        return {
            "id": self.id,
            "name": self.name,
            "type": self.type,
            "exportable": self.is_exportable,
            "enabled": True,
            "exportablePlatforms": PLATFORMS if self.is_exportable else [],
            "modelInformation": None,
        }


# Ids, names and order are those of the service: programs have the ids in their source, or take the first of a type.
DOMAINS = (
    Domain("2e37d7fb-3a54-486a-b4d6-cfc369af0018", "General [A2]", CLASSIFICATION, "efficientnet_v2_b0"),
    Domain("a8e3c40f-fb4a-466f-832a-5e457ae4a344", "General [A1]", CLASSIFICATION, "resnet50"),
    Domain("ee85a74c-405e-4adc-bb47-ffa8ca0c9f31", "General", CLASSIFICATION),
    Domain("c151d5b5-dd07-472a-acc8-15d29dea8518", "Food", CLASSIFICATION),
    Domain("ca455789-012d-4b50-9fec-5bb63841c793", "Landmarks", CLASSIFICATION),
    Domain("b30a91ae-e3c1-4f73-a81e-c270bff27c39", "Retail", CLASSIFICATION),
    Domain("45badf75-3591-4f26-a705-45678d3e9f5f", "Adult", CLASSIFICATION),
    Domain("a1db07ca-a19a-4830-bae8-e004a42dc863", "General (compact) [S1]", CLASSIFICATION, "mobilenet_v3_small"),
    Domain("0732100f-1a38-4e49-a514-c9b44c697ab5", "General (compact)", CLASSIFICATION, "mobilenet_v2"),
    Domain("8882951b-82cd-4c32-970b-d5f8cb8bf6d7", "Food (compact)", CLASSIFICATION, "mobilenet_v2"),
    Domain("b5cfd229-2ac7-4b2b-8d0a-2b0661344894", "Landmarks (compact)", CLASSIFICATION, "mobilenet_v2"),
    Domain("6b4faeda-8396-481b-9f8b-177b9fa3097f", "Retail (compact)", CLASSIFICATION, "mobilenet_v2"),
    # Programs for .NET, Java and JavaScript take the first of detection: not the slowest network of all.
    Domain("9c616dff-2e7d-ea11-af59-1866da359ce6", "General [A1]", DETECTION),
    Domain("da2e3a8a-40a5-4171-82f4-58522f70fbc1", "General", DETECTION),
    Domain("1d8ffafe-ec40-4fb2-8f90-72b3b6cecea4", "Logo", DETECTION),
    Domain("3780a898-81c3-4516-81ae-3a139614e1f3", "Products on Shelves", DETECTION),
    Domain("7ec2ac80-887b-48a6-8df9-8b1357765430", "General (compact) [S1]", DETECTION),
    Domain("a27d5ca5-bb19-49d8-a70a-fec086c47f5b", "General (compact)", DETECTION),
)
BY_ID = {domain.id: domain for domain in DOMAINS}
DEFAULTS = {CLASSIFICATION: DOMAINS[2], DETECTION: DOMAINS[13]}


def find_domain(text: str) -> Domain:
    """Raises `NotFoundDomain`."""
    domain = BY_ID.get(text.lower())
    if domain is None:
        raise missing("Domain")
    return domain


def chosen_domain(text: str | None) -> Domain:
    """The domain that a project is to have. Raises `BadRequestProjectUnknownDomain`."""
    if not text:
        return DEFAULTS[CLASSIFICATION]
    if text.lower() not in BY_ID:
        raise Refused("BadRequestProjectUnknownDomain", f"There is no domain {text}: get_domains lists them.")
    return BY_ID[text.lower()]


def default_domain(project: Project) -> Domain:
    """Of a project that was made in the studio itself."""
    return DEFAULTS[DETECTION if project.task == Task.DETECTION else CLASSIFICATION]


def architecture_of(domain: Domain) -> str:
    """The network to train, or "" where the studio chooses."""
    architecture = ARCHITECTURES.get(domain.architecture)
    return domain.architecture if architecture is not None and find_weights(architecture) else ""
