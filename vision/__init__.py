"""What has nothing to do with the studio's rows, users and jobs, and is used by every app."""
