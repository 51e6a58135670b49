"""Recordings on disk: pictures as they were sent and what happened, in one file of fragments."""
