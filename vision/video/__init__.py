"""Reading videos with OpenCV, in a process of its own: no Django, and a file that crashes a decoder ends one job."""
