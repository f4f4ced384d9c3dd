"""Floor 4: trained models, their files, predictions, evaluations."""
