"""Settings of the studios that tests start: the studio's own, but passwords are hashed without effort."""

from mlstudio.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
