"""The parts of scripts/verify_export.py."""
