"""Renderers: numpy-only users import ``posetest.render.cpu`` or ``posetest.render.reference`` by name."""
