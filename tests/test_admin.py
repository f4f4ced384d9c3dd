"""The admin pages: every list opens, and what services keep consistent cannot be changed behind their back."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.urls import reverse

from datasets.models import Image

MODELS = list(admin.site._registry)


@pytest.fixture
def administrator(client, db):
    client.force_login(get_user_model().objects.create_superuser("root", "root@example.com", "a long pass phrase"))
    return client


@pytest.mark.parametrize("model", MODELS, ids=[model._meta.label for model in MODELS])
def test_every_list_opens_and_searches(administrator, image, labels, model):
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert administrator.get(address).status_code == 200
    if admin.site._registry[model].search_fields:
        assert administrator.get(address, {"q": "one"}).status_code == 200


def test_plurals_are_english(administrator):
    names = [str(model._meta.verbose_name_plural) for model in apps.get_models()]
    assert [name for name in names if re.search(r"([^aeiou]y|ch|sh|s|x)s$", name)] == []
    page = administrator.get(reverse("admin:index")).content.decode()
    assert "Searches" in page and "Webhook deliveries" in page


def test_an_image_can_be_looked_at_and_not_changed(administrator, image):
    address = reverse("admin:datasets_image_change", args=[image["id"]])
    assert administrator.get(address).status_code == 200
    assert administrator.post(address, {"filename": "x"}).status_code == 403
    assert administrator.post(reverse("admin:datasets_image_delete", args=[image["id"]])).status_code == 403
    assert Image.objects.get().filename == "one.jpg"


def test_a_project_can_be_renamed(administrator, project):
    address = reverse("admin:projects_project_change", args=[project.pk])
    assert administrator.get(address).status_code == 200


def test_others_are_sent_to_the_login(client, owner):
    client.force_login(owner)
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 302 and "login" in answer["Location"]
