"""RetinaNet (Lin et al. 2017) on KerasHub's layers: networks, targets, augmentation, evaluation. No Django."""
