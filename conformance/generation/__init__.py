"""What generated requests are made of: tables of what is valid and of what breaks one rule.

| here | is |
|---|---|
| `drawing.py` | the few strategies that everything is built of; examples by seed; shrinking |
| `parts.py` | a valid request as the features that it holds |
| `material.py` | texts in many scripts, tools with nested schemas |
| `valid.py` | `FEATURES`: what a valid request may hold, with the clause that wants it accepted |
| `mistakes.py` | a request that breaks one rule, valid features beside it |
| `wrong.py` | `WRONGS`: how a request breaks exactly one rule, with the rule's clause |
| `wrong_messages.py`, `wrong_tools.py` | those of messages, and of tools |
| `malformed.py` | `MALFORMED`: bodies that are no JSON, no object, or hostile and yet JSON |
| `dealing.py` | how many examples each row of a table gets |

The laws:

1. Nothing here knows a target: pure data, and strategies over it. What is sent, and who is blamed,
   is decided in `conformance/corpus.py`.
2. A row names one clause. What the contract leaves open is no row, or one with `demanded=False`.
3. The same seed gives the same requests, wherever the suite is installed.
"""

from dataclasses import dataclass

DEFAULT_EXAMPLES = 20
DEFAULT_SEED = 0


@dataclass(frozen=True, slots=True)
class Amount:
    """How many requests are generated for a model, and from which seed.

    `examples` valid requests, as many invalid ones, and three `malformed` bodies for ten of them.
    """

    examples: int = 0
    seed: int = DEFAULT_SEED

    @property
    def malformed(self) -> int:
        """Bodies below JSON, each with the plainest call after it."""
        return self.examples * 3 // 10

    @property
    def shrinking(self) -> int:
        """Requests that may be spent on a model to find the simplest one that shows a breach."""
        return 3 * self.examples
