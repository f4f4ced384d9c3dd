"""Train a detector without the studio, and ask it: `python examples/detector.py FOLDER`, with VOC, COCO or YOLO in it.

It needs `pip install './vision[training]'`, and takes ten minutes on two cores.
"""

import sys
from pathlib import Path

from vision.detection.configuration import DetectionConfiguration
from vision.detection.folders import read_folder
from vision.detection.train import train_detector
from vision.runtime.answers import Detector
from vision.training.architectures import default_architecture

data, remarks = read_folder(Path(sys.argv[1]))
print({split: len(samples) for split, samples in data.splits.items()}, *remarks[:10], sep="\n")

minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 10
network = default_architecture("detection")
configuration = DetectionConfiguration(network, max_minutes=minutes, image_size=256).resolved(len(data.splits["train"]))
result = train_detector(configuration, data, Path("run"))
print(f"AP50 on images it never saw: {result.metrics['ap50']:.2f}, files: {', '.join(result.files)}")

detector = Detector(Path(result.files["litert-float32"]), result.class_names, result.detector)
for box in detector.predict(data.splits["test"][0].path):
    print(box)
