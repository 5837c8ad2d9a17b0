"""Lets `pytest` in this folder find the plugin without an installation."""

pytest_plugins = ["conformance.plugin"]
