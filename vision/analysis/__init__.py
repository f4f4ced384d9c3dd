"""What predictions show: which images are most informative, which labels are wrong, which model is better."""
