"""A model from elsewhere as a start: TensorFlow's person detection of 96 px, taken to the ten sign digits."""

from __future__ import annotations

from pathlib import Path

from benchmarks.rows import Row
from tests.real_data import FOLDER, SIGN_DIGITS
from tests.studio import Studio

MODEL = FOLDER / "weights" / "mobilenet_025_96_vww.h5"


def run(folder: Path) -> list[Row]:
    if not MODEL.exists():
        return [Row("a model from elsewhere as a start", f"left out: no {MODEL.name}", "")]
    studio = Studio(folder / "data").start()
    try:
        studio.register()
        project = studio.call("POST", "projects/", json={"name": "p", "task": "classification"})["id"]
        dataset = studio.call("POST", "datasets/", json={"project": project, "name": "d"})["id"]
        with open(SIGN_DIGITS, "rb") as file:
            job = studio.call("POST", f"datasets/{dataset}/imports/", files={"file": ("digits.zip", file)})
        studio.wait_for_end(f"jobs/{job['id']}/", 300)
        body = {"project": project, "labels": "no person\nperson", "scaling": "0_1"}
        with open(MODEL, "rb") as file:
            job = studio.call("POST", "models/", files={"file": (MODEL.name, file)}, data=body)
        brought = studio.wait_for_end(f"jobs/{job['id']}/")["result"]
        base = brought["model"]
        job = studio.call("POST", f"models/{base}/exports/", json={"kinds": ["litert-int8"]})
        (export,) = studio.wait_for_end(f"jobs/{job['id']}/")["result"]["exports"]
        trained = _accuracy(studio, {"project": project, "base_model": base})
        frozen = _accuracy(studio, {"project": project, "base_model": base, "fine_tune": False, "augmentation": "none"})
    finally:
        studio.stop()
    return [
        Row(f"{MODEL.name} as it came, beside Keras 2", f"{brought['read']['largest_difference']:.1e}", "difference"),
        Row("the same as int8 LiteRT", f"{export['size'] / 1e6:.2f} MB", f"agreement {export['agreement']:.3f}"),
        Row("sign digits from it, test accuracy", f"{trained:.4f}", f"head alone {frozen:.4f}"),
    ]


def _accuracy(studio: Studio, wanted: dict) -> float:
    run = studio.wait_for_end(f"trainings/{studio.call('POST', 'trainings/', json=wanted)['id']}/", 900)
    assert run["state"] == "succeeded", run["error"]
    return studio.call("GET", f"models/{run['model']}/")["metrics"]["accuracy"]
