"""What predictions tell: which images teach most, which labels are wrong, which model is better. No Django."""
