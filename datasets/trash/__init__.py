"""Images, videos and datasets in the trash: moved into a project that nobody sees, and moved back."""
