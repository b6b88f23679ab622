"""Renderers: ``select.open_renderer`` opens one by name; ``posetest.render.cpu`` needs no torch."""
