"""Drives one Python client library against a target: `python drive.py LIBRARY`, job on stdin.

A script for any interpreter that has the library: the suite runs it and never imports it. Python
puts the folder of a script on its path, and so finds `drivers/`, where all of it is, its laws in
`running.py`.
"""

import importlib
import sys

if __name__ == "__main__":
    # By name: as a module of the suite it is called otherwise.
    importlib.import_module("drivers.running").main(sys.argv[1])
