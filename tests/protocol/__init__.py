"""The protocol package on trial."""
