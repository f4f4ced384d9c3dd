"""What members changed, kept with enough to go back. The rooms above say how their rows are put back."""
