"""Compiled loops of the CPU renderer. One module a stage; ``draw.py`` calls them in order for each image."""
