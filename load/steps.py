"""10, 20, 40, 80 users, a minute each: where does the latency turn?

``locust -f load/steps.py --host http://127.0.0.1:8080/v1``
"""

from load.shapes import Stage, Staged
from load.user import ChatUser


class Chat(ChatUser):
    """Asks what the options say."""


class Steps(Staged):
    """10, 20, 40, 80 users, a minute each: where does the latency turn?"""

    stages = tuple(Stage(60, users, at_once=True) for users in (10, 20, 40, 80))
