"""What lists of images are narrowed and counted by, for the images that are there."""

from django.db import migrations

FORMATS = ("", "JPEG", "MPO", "PNG", "WEBP", "BMP", "GIF", "TIFF", "HEIF", "AVIF")
OF_IMAGE = "FROM datasets_annotation a WHERE a.image_id = datasets_image.id"
DERIVED = f"""
UPDATE datasets_image SET
  project_key = (SELECT d.project_id FROM datasets_dataset d WHERE d.id = datasets_image.dataset_id),
  annotation_count = (SELECT COUNT(*) {OF_IMAGE}),
  suggestion_count = (SELECT COUNT(*) {OF_IMAGE} AND NOT a.confirmed),
  lowest_score = COALESCE((SELECT MIN(a.score) {OF_IMAGE} AND NOT a.confirmed), 1.0),
  shuffle = {{random}},
  has_thumbnails = FALSE  -- those of 256 pixels are new, and so are the hashes
"""
CODES = f"""
UPDATE datasets_image SET facets =
  CASE split WHEN 'train' THEN 1 WHEN 'validation' THEN 2 WHEN 'test' THEN 3 ELSE 0 END
  + CASE WHEN annotation_count > suggestion_count OR (reviewed AND EXISTS (
      SELECT 1 FROM projects_project p WHERE p.id = datasets_image.project_key AND p.task = 'detection')) THEN 4 ELSE 0 END
  + CASE WHEN reviewed THEN 8 ELSE 0 END
  + CASE WHEN suggestion_count > 0 THEN 16 ELSE 0 END
  + CASE WHEN EXISTS (SELECT 1 {OF_IMAGE} AND a.origin = 'human') THEN 32 ELSE 0 END
  + CASE WHEN EXISTS (SELECT 1 {OF_IMAGE} AND a.origin = 'imported') THEN 64 ELSE 0 END
  + CASE WHEN EXISTS (SELECT 1 {OF_IMAGE} AND a.origin = 'model') THEN 128 ELSE 0 END
  + CASE format {" ".join(f"WHEN '{name}' THEN {place << 8}" for place, name in enumerate(FORMATS) if name)} ELSE 0 END
"""
LABELS = """
INSERT INTO datasets_imagelabel (image_id, label_id, dataset_key, facets)
SELECT DISTINCT a.image_id, a.label_id, i.dataset_id, i.facets
FROM datasets_annotation a JOIN datasets_image i ON i.id = a.image_id
"""
COUNTS = (
    """
INSERT INTO datasets_facetcount (dataset_id, label_key, facets, images)
SELECT dataset_id, '00000000000000000000000000000000', facets, COUNT(*) FROM datasets_image GROUP BY dataset_id, facets
""",
    """
INSERT INTO datasets_facetcount (dataset_id, label_key, facets, images)
SELECT dataset_key, label_id, facets, COUNT(*) FROM datasets_imagelabel GROUP BY dataset_key, label_id, facets
""",
)


def fill(apps, schema_editor) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    random = "abs(random() % 2147483647)" if is_sqlite else "floor(random() * 2147483647)::int"
    with schema_editor.connection.cursor() as cursor:
        for statement in (DERIVED.format(random=random), CODES, LABELS, *COUNTS):
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("datasets", "0007_gallery")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
