"""What `drive.py` runs: Python client libraries, each in the environment that holds it.

The map:

| here | is |
|---|---|
| `running.py` | a job, step by step; the laws of its lines |
| `recording.py` | what goes over the wire, as the libraries' HTTP client gives it to them |
| `telling.py` | what a library returned or raised, as plain data |
| `openai_python.py`, `langchain.py`, `litellm.py` | a library, a method for each kind of step |

They import each other by relative names: of the suite, an environment is given no more than the
folder of `drive.py`.
"""
