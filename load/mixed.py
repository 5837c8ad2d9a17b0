"""Two kinds of users side by side: short questions in turns, and long prompts.

``locust -f load/mixed.py --host http://127.0.0.1:8080/v1``. Write a locustfile like this one for a
mix of your own; what a class sets takes precedence over the options.
"""

from load.user import ChatUser


class Talks(ChatUser):
    """A conversation of four short turns; three of four users."""

    weight = 3
    turns = 4
    words = "normal:20,8"


class Reads(ChatUser):
    """A long text, asked about once; one of four users."""

    weight = 1
    turns = 1
    words = "lognormal:1500,0.4"
