"""A quiet load, ten times as much for half a minute, and quiet again.

``locust -f load/spike.py --host http://127.0.0.1:8080/v1``
"""

from load.shapes import Stage, Staged
from load.user import ChatUser


class Chat(ChatUser):
    """Asks what the options say."""


class Spike(Staged):
    """A quiet load, ten times as much for half a minute, and quiet again."""

    stages = (Stage(60, 10, True), Stage(30, 100, True), Stage(60, 10, True))
