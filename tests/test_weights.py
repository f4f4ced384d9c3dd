"""Pretrained weights: with consent, through cuts, mirrors and proxies, never wrong ones; added without a network."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.weights_source import CONTENT, FILE, NAME, PRESET, Source, h5, preset_content
from training import weights as pretrained
from training.weights import WeightsProblem
from vision.training import architectures
from vision.training.architectures import ARCHITECTURES, find_weights
from vision.training.pretrained import KERAS_FILES, PRETRAINED, WeightsFile


@pytest.fixture
def source(weights_source) -> Source:
    return weights_source


@pytest.fixture
def folder(weights_folder) -> Path:
    return weights_folder


def download(name: str = NAME) -> Path:
    return pretrained.download(PRETRAINED[name])


def run(*arguments) -> str:
    out = io.StringIO()
    call_command("weights", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_what_was_brought_is_what_trainings_start_from(folder):
    assert find_weights(ARCHITECTURES[NAME]) is None
    path = download()
    assert path == find_weights(ARCHITECTURES[NAME]) == folder / FILE and path.read_bytes() == CONTENT
    assert architectures.default_architecture() == NAME
    assert {file.name for file in folder.iterdir()} == {FILE, pretrained.HASHES, pretrained.LOCK}


def test_what_is_here_is_not_asked_for_again(folder, source):
    download()
    download()
    assert len(source.asked) == 1


def test_a_download_that_was_cut_goes_on_where_it_ended(folder, source):
    source.cut_after = 100_000
    with pytest.raises(WeightsProblem, match=r"was cut\. 66 kB are here; the next try goes on") as caught:
        download()
    assert caught.value.code == "weights_unreachable" and find_weights(ARCHITECTURES[NAME]) is None
    source.cut_after = None
    assert download().read_bytes() == CONTENT
    assert [asked for _, asked in source.asked] == ["", "bytes=65536-"]


def test_where_the_server_takes_no_ranges_it_begins_again(folder, source):
    source.cut_after = 100_000
    with pytest.raises(WeightsProblem):
        download()
    source.cut_after, source.takes_ranges = None, False
    assert download().read_bytes() == CONTENT


def test_a_file_that_was_whole_when_it_was_killed_is_taken(folder, source):
    staged = folder / f"{FILE}{pretrained.STAGED}"
    staged.mkdir(parents=True)
    (staged / f"{FILE}{pretrained.PARTIAL}").write_bytes(CONTENT)
    assert download().read_bytes() == CONTENT


@pytest.fixture
def with_hash(monkeypatch):
    """The file's source publishes the hash of `CONTENT`."""
    weights = PRETRAINED[NAME]
    file = WeightsFile(FILE, weights.files[0].url, hashlib.md5(CONTENT).hexdigest())
    monkeypatch.setitem(PRETRAINED, NAME, type(weights)(**vars(weights) | {"files": (file,)}))


def test_a_file_with_another_hash_is_deleted(folder, source, with_hash):
    source.files[f"/{FILE}"] = CONTENT[:-1] + b"x"
    with pytest.raises(WeightsProblem, match="damaged or replaced on the way") as caught:
        download()
    assert caught.value.code == "weights_differ" and not [path for path in folder.rglob("*.h5*") if path.is_file()]
    source.files[f"/{FILE}"] = CONTENT
    assert download().read_bytes() == CONTENT


def test_a_hash_that_the_source_states_beside_the_file_counts(folder, source):
    source.stated_hash = "0" * 64
    with pytest.raises(WeightsProblem) as caught:
        download()
    assert caught.value.code == "weights_differ"
    source.stated_hash = hashlib.sha256(CONTENT).hexdigest()
    assert download().is_file()


@pytest.mark.parametrize(
    ("status", "words"), [(404, "it answered 404"), (500, "it answered 500"), (403, "it answered 403")]
)
def test_a_source_that_refuses_is_said(folder, source, status, words):
    source.status = status
    with pytest.raises(WeightsProblem, match=words) as caught:
        download()
    assert "manage.py weights add" in str(caught.value)


def test_a_source_that_is_away_is_said_with_what_to_do(folder, source, settings):
    settings.WEIGHTS_URL = "http://127.0.0.1:9"
    with pytest.raises(WeightsProblem, match=r"there is no connection to it\. Without the internet, bring the file"):
        download()


def test_a_page_in_its_place_is_not_taken_for_weights(folder, source):
    source.files[f"/{FILE}"] = b"<!doctype html><title>Log in to the network</title>"
    with pytest.raises(WeightsProblem, match="perhaps a page of a proxy") as caught:
        download()
    assert caught.value.code == "weights_differ" and find_weights(ARCHITECTURES[NAME]) is None
    source.files[f"/{FILE}"] = CONTENT
    assert download().read_bytes() == CONTENT


def test_a_source_that_leads_in_a_circle_is_said(folder, source):
    source.redirects = True
    with pytest.raises(WeightsProblem, match="it leads in a circle"):
        download()


def test_a_source_without_an_end_is_left(folder, source, monkeypatch):
    monkeypatch.setattr(pretrained, "MOST_TIMES", 0)
    monkeypatch.setattr(pretrained, "MOST_MORE", 3 << 20)
    source.is_endless = True
    with pytest.raises(WeightsProblem, match=r"it sent more than 3\.1 MB"):
        download()
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) == 0


def test_a_source_that_leads_to_no_address_is_said(folder, source):
    source.headers = {"Location": "http://[::nonsense/x"}
    with pytest.raises(WeightsProblem, match="that is no address of a file"):
        download()


def test_a_length_that_is_no_number_is_not_believed(folder, source):
    source.headers = {"Content-Length": "nonsense"}
    with pytest.raises(WeightsProblem, match="is no file of weights"):
        download()


def test_a_source_that_says_of_nothing_that_it_is_all_is_said(folder, source):
    source.files[f"/{FILE}"] = b""
    with pytest.raises(WeightsProblem, match="it answered 416"):
        download()


def test_the_password_of_a_mirror_is_not_said(folder, settings):
    settings.WEIGHTS_URL = "http://mia:secret@127.0.0.1:9/weights"
    with pytest.raises(WeightsProblem, match=r"http://127\.0\.0\.1:9/weights/mobilenet") as caught:
        download()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["nonsense", "ftp://127.0.0.1/a", "http://", "file:///etc", f"http://{'a' * 64}.invalid"]
)
def test_a_mirror_that_is_no_address_is_said(folder, settings, address):
    settings.WEIGHTS_URL = address
    with pytest.raises(WeightsProblem, match="that is no address of a file"):
        download()


def test_a_folder_that_cannot_be_written_is_said_without_a_traceback(folder, tmp_path, settings):
    settings.WEIGHTS_FOLDER = tmp_path / "file"
    (tmp_path / "file").write_text("x")
    for folder_ in (tmp_path / "file", tmp_path / "file" / "below"):
        settings.WEIGHTS_FOLDER = folder_
        with pytest.raises(CommandError, match=r"The folder of weights .* cannot be used: .*Make it a folder"):
            run("download", NAME, "--yes")


def test_a_link_to_nothing_is_no_folder(folder, tmp_path, settings):
    settings.WEIGHTS_FOLDER = tmp_path / "link"
    settings.WEIGHTS_FOLDER.symlink_to(tmp_path / "nothing")
    with pytest.raises(WeightsProblem, match="cannot be used: it is no folder") as caught:
        download()
    assert caught.value.code == "weights_folder"


@pytest.mark.parametrize("size", [11, 20_000, len(CONTENT) - 1])
def test_a_connection_without_a_length_that_closes_early_was_cut(folder, source, size):
    source.says_length, source.cut_after = False, size
    with pytest.raises(WeightsProblem, match=r"the connection was cut\. .* the next try goes on from there"):
        download()
    assert find_weights(ARCHITECTURES[NAME]) is None
    source.cut_after = None
    assert download().read_bytes() == CONTENT and source.asked[-1][1] == f"bytes={size}-"


def test_a_file_that_is_cut_at_its_source_is_not_taken(folder, source):
    source.files[f"/{FILE}"] = CONTENT[:20_000]
    with pytest.raises(WeightsProblem, match="Its end is missing") as caught:
        download()
    assert caught.value.code == "weights_differ" and not [path for path in folder.rglob("*.h5*") if path.is_file()]


@pytest.mark.parametrize(
    "content",
    [h5(1000), CONTENT[:100] + bytes(4000) + CONTENT[4100:], h5(5_000_000), CONTENT[:8] + b"\xff" * 100],
    ids=["too little", "damaged", "too much", "no superblock"],
)
def test_a_file_with_other_numbers_is_not_taken(folder, tmp_path, content):
    brought = tmp_path / FILE
    brought.write_bytes(content)
    with pytest.raises(WeightsProblem, match="is damaged, or holds something else") as caught:
        pretrained.add(brought)
    assert caught.value.code == "weights_differ" and find_weights(ARCHITECTURES[NAME]) is None


def test_a_part_that_nobody_asked_for_is_refused(folder, source):
    source.part_from = 1000
    with pytest.raises(WeightsProblem, match="a part of the file where the whole was asked for"):
        download()
    assert find_weights(ARCHITECTURES[NAME]) is None


def test_a_part_that_begins_elsewhere_is_not_appended(folder, source):
    source.cut_after = 100_000
    with pytest.raises(WeightsProblem):
        download()
    source.cut_after, source.part_from = None, 0
    with pytest.raises(WeightsProblem, match="a part of the file where"):
        download()
    source.part_from = None
    assert download().read_bytes() == CONTENT
    assert [asked for _, asked in source.asked] == ["", "bytes=65536-", "", ""]


def test_a_folder_under_the_name_of_a_file_is_no_weights(folder, source):
    (folder / FILE).mkdir(parents=True)
    assert find_weights(ARCHITECTURES[NAME]) is None
    with pytest.raises(WeightsProblem, match="is a folder, where a file belongs") as caught:
        download()
    assert caught.value.code == "weights_folder" and source.asked == []


def test_a_file_under_the_name_of_a_preset_is_no_weights(folder, source):
    folder.mkdir()
    (folder / PRETRAINED[PRESET].place).write_bytes(CONTENT)
    assert find_weights(ARCHITECTURES[PRESET]) is None
    with pytest.raises(WeightsProblem, match="is no folder, where a folder belongs"):
        download(PRESET)


@pytest.mark.parametrize("proxy", ["socks5://me:secret@127.0.0.1:9", "foo://127.0.0.1:9", "socks5h://127.0.0.1:9"])
def test_a_proxy_of_another_kind_is_said(folder, settings, monkeypatch, proxy):
    settings.WEIGHTS_URL = "http://weights.invalid"
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(WeightsProblem, match=r"the proxy \w+://127\.0\.0\.1:9 of the environment is no HTTP proxy"):
        download()


def test_a_proxy_of_the_environment_is_used(folder, source, settings, monkeypatch):
    settings.WEIGHTS_URL = "http://weights.invalid"
    monkeypatch.setenv("http_proxy", source.address)
    assert download().read_bytes() == CONTENT
    assert source.asked == [(f"http://weights.invalid/{FILE}", "")]


def test_a_proxy_that_is_away_is_said(folder, settings, monkeypatch):
    settings.WEIGHTS_URL = "http://weights.invalid"
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(WeightsProblem, match="the proxy does not let it through"):
        download()


def test_a_preset_of_several_files_is_here_when_all_are(folder, source):
    weights = PRETRAINED["retinanet_resnet18"]
    for file in weights.files[:-1]:
        source.files[f"/{file.path}"] = b"{}"
    with pytest.raises(WeightsProblem):
        download("retinanet_resnet18")
    source.files[f"/{weights.files[-1].path}"] = preset_content()
    assert {path.name for path in download("retinanet_resnet18").iterdir()} == {
        "config.json",
        "metadata.json",
        "model.weights.h5",
    }


def test_a_part_of_a_preset_is_not_trained_with(folder, source):
    weights = PRETRAINED["retinanet_resnet18"]
    source.files[f"/{weights.files[0].path}"] = b"{}"
    with pytest.raises(WeightsProblem):
        download("retinanet_resnet18")
    assert find_weights(weights.architecture) is None


def test_two_at_once_do_not_write_the_same_file(folder, source):
    with pretrained._alone(), pytest.raises(WeightsProblem) as caught:
        download()
    assert caught.value.code == "still_running" and source.asked == []
    assert download().is_file()


def test_a_full_disk_begins_nothing(folder, source, settings):
    from storage.errors import InsufficientStorage

    settings.MIN_FREE_BYTES = 1 << 60
    with pytest.raises(InsufficientStorage):
        download()
    assert source.asked == []


class TestAdd:
    def test_a_file_is_taken_by_its_name(self, folder, source, tmp_path):
        brought = tmp_path / FILE
        brought.write_bytes(CONTENT)
        assert [weights.name for weights in pretrained.add(brought)] == [NAME, f"retinanet_{NAME}"]
        assert find_weights(ARCHITECTURES[NAME]) == folder / FILE and source.asked == []

    def test_a_file_of_another_name_is_refused_with_the_names(self, folder, tmp_path):
        brought = tmp_path / "weights.h5"
        brought.write_bytes(CONTENT)
        with pytest.raises(WeightsProblem, match=r"Name it as its source does: .*mobilenet_v2_weights") as caught:
            pretrained.add(brought)
        assert caught.value.code == "weights_unknown"

    def test_a_file_with_another_hash_is_refused_and_left_where_it_was(self, folder, tmp_path, with_hash):
        brought = tmp_path / FILE
        brought.write_bytes(CONTENT + b"x")
        with pytest.raises(WeightsProblem) as caught:
            pretrained.add(brought)
        assert caught.value.code == "weights_differ" and brought.exists() and find_weights(ARCHITECTURES[NAME]) is None

    def test_a_folder_must_be_whole(self, folder, tmp_path):
        brought = tmp_path / "resnet_18_imagenet"
        brought.mkdir()
        for name in ("config.json", "metadata.json"):
            (brought / name).write_text("{}")
        with pytest.raises(WeightsProblem, match=r"no file model\.weights\.h5") as caught:
            pretrained.add(brought)
        assert caught.value.code == "weights_incomplete"
        assert find_weights(ARCHITECTURES["retinanet_resnet18"]) is None
        (brought / "model.weights.h5").write_bytes(preset_content())
        assert [weights.name for weights in pretrained.add(brought)] == ["retinanet_resnet18"]


class TestVerify:
    def test_a_file_that_changed_is_found(self, folder):
        path = download()
        assert [(here.problem, here.is_checked) for here in pretrained.verify()] == [("", True)]
        path.write_bytes(CONTENT[:-1])
        (found,) = pretrained.verify()
        assert "is not what it should be" in found.problem

    def test_a_file_that_is_cut_is_found_without_a_hash(self, folder):
        path = download()
        path.write_bytes(CONTENT[:20_000])
        (folder / pretrained.HASHES).unlink()
        (found,) = pretrained.verify()
        assert "the end of" in found.problem

    def test_a_file_of_the_users_own_folder_without_a_published_hash_is_not_compared(
        self, folder, tmp_path, monkeypatch
    ):
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / FILE).write_bytes(CONTENT)
        monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", str(tmp_path / "mine"))
        assert [(here.problem, here.is_checked) for here in pretrained.verify()] == [("", False)]

    def test_a_preset_that_lost_a_file(self, folder, source):
        for file in PRETRAINED["retinanet_resnet18"].files:
            source.files[f"/{file.path}"] = preset_content() if file.path.endswith(".h5") else b"{}"
        path = download("retinanet_resnet18")
        (path / "model.weights.h5").unlink()
        (found,) = pretrained.verify()
        assert found.problem == "model.weights.h5 is missing"

    def test_hashes_that_were_lost_are_no_problem(self, folder):
        download()
        (folder / pretrained.HASHES).write_text("{")
        assert [(here.problem, here.is_checked) for here in pretrained.verify()] == [("", False)]


class TestInTheTerminal:
    def test_list_says_what_is_here_and_what_is_not(self, folder):
        download()
        said = run("list")
        assert f"here: {folder / FILE}" in said and "not here, about 24 MB, 1 file; Apache-2.0" in said

    def test_nothing_is_downloaded_without_consent(self, folder, source, monkeypatch):
        with pytest.raises(CommandError, match=r"\(about 9\.0 MB, 1 file, Apache-2\.0\) from .* say --yes"):
            run("download", NAME)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        for answer in ("", "n", "no", "yo"):
            monkeypatch.setattr("builtins.input", lambda question, answer=answer: answer)
            assert run("download", NAME) == "Nothing was downloaded.\n"
        assert source.asked == []
        monkeypatch.setattr("builtins.input", lambda question: "y")
        assert "is here" in run("download", NAME)

    @pytest.mark.parametrize(("value", "arguments"), [("ask", ["--yes"]), ("auto", [])])
    def test_consent_can_be_given_before(self, folder, settings, value, arguments):
        settings.WEIGHTS = value
        assert f"{NAME} is here: {folder / FILE}" in run("download", NAME, *arguments)

    def test_off_is_off_also_with_yes(self, folder, source, settings):
        settings.WEIGHTS = "off"
        with pytest.raises(CommandError, match="switched off"):
            run("download", NAME, "--yes")
        assert source.asked == []

    def test_add_and_verify(self, folder, tmp_path):
        assert "No pretrained weights are here" in run("verify")
        brought = tmp_path / FILE
        brought.write_bytes(CONTENT)
        assert "MobileNetV2, trained on ImageNet: taken." in run("add", brought)
        assert "good" in run("verify")
        (folder / FILE).write_bytes(b"x")
        with pytest.raises(CommandError, match="damaged"):
            run("verify")

    @pytest.mark.parametrize("arguments", [("download", "nothing"), ("add", "/nowhere/at/all.h5"), ("burn",), ()])
    def test_what_is_wrong_is_said_without_a_traceback(self, folder, arguments):
        with pytest.raises(CommandError):
            run(*arguments)


def test_each_file_of_keras_has_the_hash_that_keras_has():
    from keras.src.applications import efficientnet_v2, mobilenet_v3, resnet

    expected = {
        "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5": mobilenet_v3.WEIGHTS_HASHES["small_224_1.0_float"][1],
        "efficientnetv2-b0_notop.h5": efficientnet_v2.WEIGHTS_HASHES["b0"][1],
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5": resnet.WEIGHTS_HASHES["resnet50"][1],
        "resnet101_weights_tf_dim_ordering_tf_kernels_notop.h5": resnet.WEIGHTS_HASHES["resnet101"][1],
    }
    assert {name: md5 for name, (_, md5) in KERAS_FILES.items() if md5} == expected


def test_every_network_with_weights_can_be_brought():
    wanting = {
        (architecture.name, kind)
        for architecture in ARCHITECTURES.values()
        for kind in architecture.weights_files
        if not architecture.is_keras_retinanet
    }
    assert {(weights.architecture.name, weights.kind) for weights in PRETRAINED.values()} == wanting
    for weights in PRETRAINED.values():
        assert weights.licence and weights.source.startswith("https://")
        assert all(file.url.startswith("https://") for file in weights.files)


@pytest.mark.parametrize("text", ["[]", "5", "nonsense", '{"x": 5}'])
def test_remembered_hashes_that_are_damaged_count_as_none(folder, text):
    path = download()
    (folder / pretrained.HASHES).write_text(text)
    assert "not compared" in run("verify")
    run("add", str(path))
    assert "good" in run("verify")


def test_a_file_that_is_not_there_is_not_added(folder, tmp_path):
    with pytest.raises(WeightsProblem, match="There is no file"):
        pretrained.add(tmp_path / FILE)


def test_the_remembered_hashes_are_of_the_files(folder):
    path = download()
    assert json.loads((folder / pretrained.HASHES).read_text()) == {FILE: hashlib.sha256(path.read_bytes()).hexdigest()}
