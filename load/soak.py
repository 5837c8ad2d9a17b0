"""50 users for eight hours: does anything creep?

``locust -f load/soak.py --host http://127.0.0.1:8080/v1``
"""

from load.shapes import Stage, Staged
from load.user import ChatUser


class Chat(ChatUser):
    """Asks what the options say."""


class Soak(Staged):
    """50 users for eight hours: does anything creep?"""

    stages = (Stage(60, 50), Stage(8 * 3600, 50))
