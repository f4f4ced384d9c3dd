"""Settings read from variables: each type takes what it should, names itself in its refusals, and shows no secret."""

from __future__ import annotations

import os
import stat
from fractions import Fraction
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mlstudio import environment

NAME = "MLSTUDIO_TEST_VALUE"
SIZE = "MLSTUDIO_TEST_BYTES"
# The fixture only gives back what was there before; one example may follow another.
SHARED = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def own_variables(monkeypatch):
    """What is read here is not remembered as a setting of the studio."""
    monkeypatch.setattr(environment, "_known", set(environment._known))
    monkeypatch.setattr(environment, "_in_force", dict(environment._in_force))
    for name in (NAME, SIZE):
        monkeypatch.setenv(name, "")


def refused(read, *arguments, name: str = NAME) -> str:
    with pytest.raises(ImproperlyConfigured) as caught:
        read(name, *arguments)
    assert name in str(caught.value)
    return str(caught.value)


def shown(name: str) -> environment.InForce:
    return next(row for row in environment.in_force() if row.name == name)


# Numbers


@pytest.mark.parametrize("value", ["", "   "])
def test_a_number_that_is_left_empty_is_the_default(monkeypatch, value):
    monkeypatch.setenv(NAME, value)
    assert environment.number(NAME, 7) == 7
    assert (shown(NAME).value, shown(NAME).is_set) == ("7", False)


@pytest.mark.parametrize(
    ("least", "value", "is_taken"), [(0, "0", True), (1, "0", False), (1, "1", True), (0, "-1", False)]
)
def test_a_number_begins_at_its_least_value(monkeypatch, least, value, is_taken):
    monkeypatch.setenv(NAME, value)
    if is_taken:
        assert environment.number(NAME, 5, least) == int(value)
    else:
        assert f"at least {least}, received '{value}'" in refused(environment.number, 5, least)


@pytest.mark.parametrize("value", ["1.5", "1e3", "ten", "0x10", "5 GB", "--1"])
def test_a_plain_number_takes_no_fraction_and_no_unit(monkeypatch, value):
    monkeypatch.setenv(NAME, value)
    assert "whole number" in refused(environment.number, 5)


POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


@SHARED
@given(
    whole=st.integers(0, 10**6),
    tenths=st.integers(0, 9),
    letter=st.sampled_from("KMGTkmgt"),
    end=st.sampled_from(["", "B", "b", "iB", "IB"]),
    blank=st.sampled_from(["", " "]),
)
def test_a_size_with_a_unit_is_that_many_bytes(whole, tenths, letter, end, blank):
    os.environ[SIZE] = f"{whole}.{tenths}{blank}{letter}{end}"
    base = 1024 if end.lower() == "ib" else 1000
    exact = Fraction(whole * 10 + tenths, 10) * base ** POWERS[letter.upper()]
    assert environment.number(SIZE, 1) == pytest.approx(exact, rel=1e-15, abs=0.51)


@SHARED
@given(st.integers(0, 10**15))
def test_a_size_in_digits_is_read_back_by_programs_that_know_no_settings(count):
    os.environ[SIZE] = f"{count:,}"
    assert environment.number(SIZE, 1) == count
    assert os.environ[SIZE] == str(count)
    os.environ[SIZE] = f"{count:_}B"
    assert environment.number(SIZE, 1) == count


@pytest.mark.parametrize("value", ["1.5", "1.5B", "20 XB", "GB", "1 2 GB", "1e9", "20GBB", "²", "٣"])
def test_a_size_that_is_none_is_refused_with_examples(monkeypatch, value):
    monkeypatch.setenv(SIZE, value)
    assert "20GiB, 20GB or 500M" in refused(environment.number, 1, name=SIZE)


# Words, choices, flags and rates


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "Yes", " on "])
def test_a_flag_is_switched_on(monkeypatch, value):
    monkeypatch.setenv(NAME, value)
    assert environment.flag(NAME, False) is True and shown(NAME).value == "true"


@pytest.mark.parametrize("value", ["0", "false", "No", "OFF"])
def test_a_flag_is_switched_off(monkeypatch, value):
    monkeypatch.setenv(NAME, value)
    assert environment.flag(NAME, True) is False and shown(NAME).value == "false"


@pytest.mark.parametrize("value", ["2", "y", "enabled", "truefalse", "-1"])
def test_a_flag_guesses_nothing(monkeypatch, value):
    monkeypatch.setenv(NAME, value)
    assert "true or false" in refused(environment.flag, True)


@pytest.mark.parametrize("default", [True, False])
def test_a_flag_that_is_left_empty_is_the_default(default):
    assert environment.flag(NAME, default) is default


def test_a_choice_has_its_first_value_by_default_and_takes_any_case(monkeypatch):
    assert environment.choice(NAME, "local", "s3") == "local"
    monkeypatch.setenv(NAME, "S3")
    assert environment.choice(NAME, "local", "s3") == "s3"
    monkeypatch.setenv(NAME, "s4")
    assert "local, s3" in refused(environment.choice, "local", "s3")


@SHARED
@given(st.lists(st.text("abcxyz019.-:", min_size=1, max_size=8), max_size=5), st.sampled_from([",", ", ", " ,", ",,"]))
def test_words_are_read_as_they_were_written(parts, between):
    os.environ[NAME] = between.join(parts)
    assert environment.words(NAME) == parts
    assert shown(NAME).value == ",".join(parts)


def test_words_that_are_left_empty_are_the_default():
    assert environment.words(NAME, ("a", "b")) == ["a", "b"]
    assert environment.words(NAME) == []


@pytest.mark.parametrize("value", ["1/s", "10/min", "999999999/day", "5/hour", "3/m", "0/sec"])
def test_a_rate_is_so_many_in_a_time(monkeypatch, value):
    monkeypatch.setenv(NAME, value)
    assert environment.rate(NAME, "1/s") == value


@pytest.mark.parametrize("value", ["10", "10/week", "/min", "-1/s", "1.5/s", "1000000000/s", "10/min/h", "10 / min"])
def test_a_rate_that_is_none_is_refused(monkeypatch, value):
    monkeypatch.setenv(NAME, value)
    assert "10/min" in refused(environment.rate, "1/s")


@pytest.mark.parametrize(
    ("address", "ending"),
    [
        ("http://localhost:8000", ""),
        ("https://studio.example.com", ""),
        ("http://localhost:8001", "_8001"),
        ("http://[::1]:9000/x", "_9000"),
    ],
)
def test_names_of_cookies_end_with_an_unusual_port(address, ending):
    assert environment.cookie_suffix(address) == ending
    assert environment.cookie_ending(NAME, ending) == ending


@pytest.mark.parametrize(
    ("value", "is_taken"), [("a" * 40, True), ("a" * 41, False), ("_x-1", True), ("a b", False), ("ü", False)]
)
def test_an_ending_of_cookies_is_short_and_plain(monkeypatch, value, is_taken):
    monkeypatch.setenv(NAME, value)
    if is_taken:
        assert environment.cookie_ending(NAME, "_1") == value
    else:
        assert "at most 40" in refused(environment.cookie_ending, "_1")


# Folders


def test_a_missing_folder_is_made_inside_the_data_folder_and_nowhere_else(monkeypatch, tmp_path):
    inside, outside = tmp_path / "data" / "deep" / "weights", tmp_path / "elsewhere"
    monkeypatch.setenv(NAME, f"{inside}{os.pathsep}{tmp_path}{os.pathsep}")
    assert environment.existing_folders(NAME, tmp_path / "data") == [inside, tmp_path]
    assert inside.is_dir()
    monkeypatch.setenv(NAME, str(outside))
    assert str(outside) in refused(environment.existing_folders, tmp_path / "data")
    assert not outside.exists()


def test_a_folder_that_leads_out_of_the_data_folder_is_not_made(monkeypatch, tmp_path):
    monkeypatch.setenv(NAME, str(tmp_path / "data" / ".." / "beside"))
    refused(environment.existing_folders, tmp_path / "data")
    assert not (tmp_path / "beside").exists()


@pytest.mark.parametrize("below", ["", "backups", "a/b/c", "a/../b"])
def test_backups_do_not_lie_in_what_they_are_of(monkeypatch, tmp_path, below):
    monkeypatch.setenv(NAME, str(tmp_path / below))
    assert "outside of the data folder" in refused(environment.backup_folder, tmp_path)


def test_backups_lie_beside_the_data_folder_also_where_its_name_is_the_longer_one(monkeypatch, tmp_path):
    assert environment.backup_folder(NAME, tmp_path) is None
    beside = tmp_path.with_name(f"{tmp_path.name}-backups")
    monkeypatch.setenv(NAME, str(beside))
    assert environment.backup_folder(NAME, tmp_path) == beside


# The secret key


@pytest.fixture
def without_key(monkeypatch):
    monkeypatch.setenv("MLSTUDIO_SECRET_KEY", "")


def test_a_key_is_made_once_and_is_its_owners_alone(without_key, tmp_path):
    folder = tmp_path / "new"
    first = environment.secret_key(folder)
    assert len(first) >= 50 and environment.secret_key(folder) == first
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert environment.secret_key(tmp_path / "other") != first


def test_a_configured_key_is_taken_and_nothing_is_written(monkeypatch, tmp_path):
    monkeypatch.setenv("MLSTUDIO_SECRET_KEY", "configured")
    assert environment.secret_key(tmp_path) == "configured" and not list(tmp_path.iterdir())


def test_a_key_that_was_cut_is_neither_used_nor_replaced(without_key, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    path = tmp_path / "secret_key"
    path.write_text("x" * 49)
    with pytest.raises(ImproperlyConfigured, match="delete it to have a new one made"):
        environment.secret_key(tmp_path)
    assert path.read_text() == "x" * 49
    path.write_text("x" * 50 + "\n")
    assert environment.secret_key(tmp_path) == "x" * 50


def test_a_data_folder_that_is_a_file_is_named(without_key, tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(ImproperlyConfigured, match="cannot be written") as caught:
        environment.secret_key(path)
    assert str(path) in str(caught.value)


# What the staff sees


SECRET = st.text("abcXYZ012%@:.;-_~!$", min_size=6, max_size=20).map(lambda text: f"hidden{text}")


@SHARED
@given(secret=SECRET, user=st.text("abc", max_size=5), scheme=st.sampled_from(["postgres", "redis", "https"]))
def test_no_password_of_an_address_is_shown(secret, user, scheme):
    os.environ[NAME] = f"{scheme}://{user}:{secret}@host.example:5432/name?sslmode=require"
    environment.text(NAME)
    value = shown(NAME).value
    assert "hidden" not in value and value.endswith("@host.example:5432/name?sslmode=require")
    assert value.startswith(f"{scheme}://{user}:***@" if user else f"{scheme}://")


@SHARED
@given(
    secret=st.text("abcXYZ012%:.;-_~", max_size=20).map(lambda text: f"hidden{text}"),
    field=st.sampled_from(["password", "SSLPASSWORD", "api_key", "access-token", "client_secret_1"]),
    is_first=st.booleans(),
)
def test_no_secret_of_a_query_is_shown(secret, field, is_first):
    os.environ[NAME] = f"s3://host/x{'?' if is_first else '?a=1&'}{field}={secret}&z=2"
    environment.text(NAME)
    assert "hidden" not in shown(NAME).value and shown(NAME).value.endswith(f"{field}=***&z=2")


def test_a_token_alone_before_the_host_is_hidden_too(monkeypatch):
    monkeypatch.setenv(NAME, "https://hidden-token@host/path")
    environment.text(NAME)
    assert shown(NAME).value == "https://:***@host/path"


@pytest.mark.parametrize("end", ["SECRET", "PASSWORD", "TOKEN", "KEY", "CREDENTIALS"])
def test_of_a_secret_only_whether_there_is_one_is_shown(monkeypatch, end):
    name = f"MLSTUDIO_TEST_{end}"
    monkeypatch.delenv(name, raising=False)
    environment.text(name)
    assert shown(name) == environment.InForce(name, "", False, True)
    monkeypatch.setenv(name, "hidden")
    environment.text(name)
    assert shown(name) == environment.InForce(name, "", True, True)


def test_the_list_is_sorted_and_has_each_setting_once(monkeypatch):
    monkeypatch.setenv(NAME, "1")
    environment.number(NAME, 1)
    environment.number(NAME, 2)
    names = [row.name for row in environment.in_force()]
    assert names == sorted(set(names)) and names.count(NAME) == 1


def test_the_data_folder_is_absolute_and_may_begin_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/mia")
    monkeypatch.setenv("MLSTUDIO_DATA_DIR", "~/studio/../data")
    assert environment.data_dir() == Path("/home/mia/data")
