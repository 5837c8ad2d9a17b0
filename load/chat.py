"""Chat completions as the options say: ``locust -f load/chat.py --host http://127.0.0.1:8080/v1``."""

from load.user import ChatUser


class Chat(ChatUser):
    """Asks the models of ``--model`` (else of the profile), in turns by their weights."""
