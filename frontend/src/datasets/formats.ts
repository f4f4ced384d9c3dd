const NAMES: Record<string, string> = {
  coco: "COCO",
  voc: "Pascal VOC",
  yolo: "YOLO",
  csv: "CSV",
  createml: "CreateML",
  label_studio: "Label Studio",
  labelme: "LabelMe",
  via: "VIA",
  cvat: "CVAT",
  datumaro: "Datumaro",
};

/** A format of annotations by the name that its own makers write; folders of labels and what is unknown as they are. */
export function formatName(format: string): string {
  return NAMES[format] ?? format;
}
