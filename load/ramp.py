"""Up to 100 users over two minutes, held for one.

``locust -f load/ramp.py --host http://127.0.0.1:8080/v1``
"""

from load.shapes import Stage, Staged
from load.user import ChatUser


class Chat(ChatUser):
    """Asks what the options say."""


class Ramp(Staged):
    """Up to 100 users over two minutes, held for one."""

    stages = (Stage(120, 100), Stage(60, 100))
