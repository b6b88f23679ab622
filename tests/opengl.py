"""Pictures of a mesh by OpenGL: an independent check of the renderers, which shares no code with them.

Its own shaders, projection matrix, depth test and texture units draw every view larger than asked for; boxes of samples
are then averaged in linear light. Translucent layers are peeled off one by one, nearest first (Everitt, Interactive
order-independent transparency, 2001), so that their order is exact at every sample. Used by the tests and by
benchmarks/contact_sheet.py; needs moderngl and a driver with EGL (on Debian: libegl1 and libgl1-mesa-dri).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from render_pictures import srgb_decoded, srgb_encoded

from posetest.geometry.camera import Views
from posetest.scene.background import Background
from posetest.scene.material import Material, Texture, highlight
from posetest.scene.mesh import Mesh

Array = NDArray[np.float64]

#: Internal format of textures that are decoded before they are filtered; moderngl has no name for it.
SRGB8_ALPHA8 = 0x8C43

#: Nothing nearer than this is drawn, in object units.
NEAR = 0.01

#: Lights that the shader has room for, and translucent layers that are peeled off at most.
MAX_LIGHTS = 8
MAX_LAYERS = 8

ALPHA_MODES = ("opaque", "mask", "blend")
SHADINGS = ("linear", "gamma_free")

VERTEX = """
#version 330
uniform mat3 turn; uniform vec3 shift; uniform mat4 projection;
in vec3 place; in vec2 uv; in vec3 normal; in vec4 color;
out vec3 at; out vec2 at_uv; out vec3 at_normal; out vec4 at_color;
void main() {
    at = turn * place + shift;
    at_uv = uv;
    at_normal = turn * normal;
    at_color = color;
    gl_Position = projection * vec4(at, 1.0);
}
"""

FRAGMENT = """
#version 330
const int OPAQUE = 0, MASK = 1, BLEND = 2;
uniform sampler2D picture, glow_picture, nearer;
uniform ivec4 is_mirrored; uniform int is_peeling;
uniform vec4 factor; uniform vec3 glow; uniform int alpha_mode; uniform float cutoff;
uniform vec3 specular; uniform float metalness, exponent, scale;
uniform int lights; uniform vec3 towards[8]; uniform vec3 strength[8]; uniform vec3 ambient;
in vec3 at; in vec2 at_uv; in vec3 at_normal; in vec4 at_color;
layout(location = 0) out vec4 seen;
layout(location = 1) out float closeness;  // 0: infinitely far

vec2 folded(vec2 p, ivec2 is_mirror) {  // a clamped texture read at a folded place is a mirrored one
    vec2 there = 1.0 - abs(mod(p, 2.0) - 1.0);
    return vec2(is_mirror.x == 1 ? there.x : p.x, is_mirror.y == 1 ? there.y : p.y);
}

void main() {
    if (is_peeling == 1 && 1.0 - gl_FragCoord.z >= texelFetch(nearer, ivec2(gl_FragCoord.xy), 0).r) discard;
    vec4 base = factor * at_color * texture(picture, folded(at_uv, is_mirrored.xy));
    if (alpha_mode == MASK && base.a < cutoff) discard;
    if (alpha_mode == BLEND && base.a <= 0.0) discard;
    vec3 n = normalize(at_normal) * (gl_FrontFacing ? 1.0 : -1.0);
    vec3 v = -normalize(at);
    vec3 diffuse = ambient, mirrored = ambient;
    for (int k = 0; k < lights; k++) {
        vec3 falling = strength[k] * max(dot(n, towards[k]), 0.0);
        float peak = exponent > 0.0 ? pow(max(dot(n, normalize(towards[k] + v)), 0.0), exponent) : 1.0;
        diffuse += falling;
        mirrored += falling * scale * peak;
    }
    vec3 emitted = glow * texture(glow_picture, folded(at_uv, is_mirrored.zw)).rgb;
    vec3 light = base.rgb * (1.0 - metalness) * diffuse + (specular + base.rgb * metalness) * mirrored + emitted;
    seen = vec4(clamp(light, 0.0, 1.0), alpha_mode == BLEND ? min(base.a, 1.0) : 1.0);
    closeness = 1.0 - gl_FragCoord.z;
}
"""


class NoOpenGLError(RuntimeError):
    """OpenGL cannot be used here; says why."""


def open_context() -> Any:
    """An OpenGL 3.3 context that needs no window.

    Raises:
        NoOpenGLError: moderngl or EGL is missing.
    """
    try:
        import moderngl
    except ImportError as error:
        raise NoOpenGLError("no moderngl: pip install moderngl (the extra posetest[opengl])") from error
    # torch loads a compiler with an LLVM of its own when an optimiser is first made; after Mesa's LLVM that crashes
    import torch._dynamo  # noqa: F401

    try:
        context: Any = moderngl.create_context(standalone=True, require=330, backend="egl")  # type: ignore[arg-type]
    except Exception as error:  # moderngl raises a plain Exception for each of the many things that may be missing
        raise NoOpenGLError(f"no OpenGL context by EGL ({error}); on Debian: libegl1 libgl1-mesa-dri") from error
    context.gc_mode = "auto"  # what Python forgets is freed
    return context


class OpenGLRenderer:
    """Draws like ``CpuRenderer``, with ``samples`` x ``samples`` samples a pixel."""

    def __init__(
        self,
        context: Any,
        mesh: Mesh,
        background: Background | None = None,
        *,
        samples: int = 4,
        shading: str = "linear",
    ) -> None:
        assert shading in SHADINGS
        self._gl, self._samples, self._shading = context, samples, shading
        self._background = background if background is not None else Background()
        self._program = context.program(vertex_shader=VERTEX, fragment_shader=FRAGMENT)
        for unit, name in enumerate(("picture", "glow_picture", "nearer")):
            self._program[name] = unit
        self._white = context.texture((1, 1), 4, b"\xff" * 4)
        self._textures = {id(t): self._upload(t) for m in mesh.materials for t in (m.texture, m.emissive_texture) if t}
        self._verts_obj = mesh.verts_obj.astype(np.float64)
        places = mesh.verts_obj[mesh.faces]
        corners = np.concatenate([places, mesh.uv, mesh.normals, self._as_shaded(mesh.colors)], axis=2)
        self._parts: list[tuple[Material, Any]] = []
        for number, material in enumerate(mesh.materials):
            mine = corners[mesh.face_material == number].astype(np.float32)
            if len(mine):
                layout = (context.buffer(mine.tobytes()), "3f 2f 3f 4f", "place", "uv", "normal", "color")
                self._parts.append((material, context.vertex_array(self._program, [layout])))

    def render(
        self, views: Views, height: int, width: int, *, backgrounds: NDArray[np.float32] | None = None
    ) -> tuple[Array, Array]:
        """Pictures [n, 3, h, w] in sRGB, and how much of each pixel is covered [n, 1, h, w]."""
        behind = self._background.images(height, width)[views.background] if backgrounds is None else backgrounds
        images, covered = np.empty((len(views), 3, height, width)), np.empty((len(views), 1, height, width))
        targets = [self._target(height * self._samples, width * self._samples) for _ in range(2)]
        for i in range(len(views)):
            self._set_view(views, i, height, width)
            lowest_first = self._layers(targets)
            samples = lowest_first[::-1].reshape(height, self._samples, width, self._samples, 4)
            pixels = samples.mean(axis=(1, 3), dtype=np.float64).transpose(2, 0, 1)
            covered[i] = pixels[3:]
            images[i] = self._encode(pixels[:3] + (1 - pixels[3:]) * self._decode(behind[i].astype(np.float64)))
        return images, covered

    def _layers(self, targets: list[Any]) -> NDArray[np.float32]:
        """What each sample sees [h, w, 4]: colour times alpha, and alpha, all layers composed from the nearest on."""
        solid = [part for part in self._parts if part[0].alpha_mode != "blend"]
        blended = [part for part in self._parts if part[0].alpha_mode == "blend"]
        target, spare = targets
        behind, wall = self._draw(solid, target, None)
        if not blended:
            return behind
        composed = np.zeros_like(behind)
        nearer = None
        for _ in range(MAX_LAYERS):
            layer, closeness = self._draw(blended, spare, nearer)
            layer[..., 3] *= closeness > wall  # what the solid surface hides
            if not layer[..., 3].any():
                break
            composed += (1 - composed[..., 3:]) * _weighted(layer)
            nearer, target, spare = spare.color_attachments[1], spare, target
        return composed + (1 - composed[..., 3:]) * behind

    def _draw(
        self, parts: list[tuple[Material, Any]], target: Any, nearer: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Colour and alpha [h, w, 4] and closeness [h, w] of the nearest fragments or of the next after ``nearer``."""
        target.use()
        target.clear(depth=1.0)
        self._gl.enable_only(self._gl.DEPTH_TEST)
        self._program["is_peeling"] = int(nearer is not None)
        (nearer or self._white).use(2)
        for material, triangles in parts:
            self._set_material(material)
            self._gl.disable(self._gl.CULL_FACE) if material.two_sided else self._gl.enable(self._gl.CULL_FACE)
            triangles.render()
        width, height = target.size
        color, closeness = (
            np.frombuffer(target.read(components=k, attachment=at, dtype="f4"), np.float32).reshape(height, width, k)
            for at, k in ((0, 4), (1, 1))
        )
        return color.copy(), closeness[..., 0]

    def _set_view(self, views: Views, i: int, height: int, width: int) -> None:
        """The camera and the lights of view ``i``."""
        depth = -(self._verts_obj @ views.rotation[i].T + views.position[i])[:, 2]
        near = max(NEAR, 0.999 * float(depth.min()))  # as far away as may be: depth has 24 bits
        far = max(2 * near, 1.001 * float(depth.max()))
        tangent = np.tan(views.fov[i] / 2)
        top, right = tangent * max(height / width, 1.0) * near, tangent * max(width / height, 1.0) * near
        lights = views.light_dirs.shape[1]
        assert lights <= MAX_LIGHTS
        towards, strength = np.zeros((2, MAX_LIGHTS, 3), np.float32)
        towards[:lights], strength[:lights] = views.light_dirs[i], views.light_colors[i]
        self._program["turn"].write(np.asarray(views.rotation[i].T, np.float32).tobytes())  # columns first
        self._program["shift"] = tuple(views.position[i])
        self._program["projection"].write(_frustum(right, top, near, far).astype(np.float32).T.tobytes())
        self._program["lights"] = lights
        self._program["towards"].write(towards.tobytes())
        self._program["strength"].write(strength.tobytes())
        self._program["ambient"] = tuple(views.ambient[i])

    def _set_material(self, material: Material) -> None:
        shine = highlight(material)
        textures = (material.texture, material.emissive_texture)
        wraps = [wrap for t in textures for wrap in ((t.wrap_u, t.wrap_v) if t else ("repeat", "repeat"))]
        values = {
            "factor": tuple(self._as_shaded(np.array(material.base_color))),
            "glow": tuple(self._as_shaded(np.array([*material.emissive, 1.0]))[:3]),
            "alpha_mode": ALPHA_MODES.index(material.alpha_mode),
            "cutoff": material.alpha_cutoff,
            "specular": shine.specular,
            "metalness": shine.metalness,
            "exponent": shine.exponent,
            "scale": shine.scale,
            "is_mirrored": tuple(int(wrap == "mirror") for wrap in wraps),
        }
        for name, value in values.items():
            self._program[name] = value
        for unit, texture in enumerate(textures):
            (self._textures[id(texture)] if texture else self._white).use(unit)

    def _upload(self, texture: Texture) -> Any:
        upright = np.ascontiguousarray(texture.image[::-1])  # OpenGL's first row is v = 0
        form = None if self._shading == "gamma_free" else SRGB8_ALPHA8
        made = self._gl.texture(texture.image.shape[1::-1], 4, upright.tobytes(), internal_format=form)
        made.build_mipmaps()
        made.filter = (self._gl.LINEAR_MIPMAP_LINEAR, self._gl.LINEAR)
        made.repeat_x, made.repeat_y = texture.wrap_u == "repeat", texture.wrap_v == "repeat"
        return made

    def _target(self, height: int, width: int) -> Any:
        colors = [self._gl.texture((width, height), components, dtype="f4") for components in (4, 1)]
        return self._gl.framebuffer(colors, self._gl.depth_texture((width, height)))

    def _encode(self, values: Array) -> Array:
        return values if self._shading == "gamma_free" else srgb_encoded(values)

    def _decode(self, values: Array) -> Array:
        return values if self._shading == "gamma_free" else srgb_decoded(values)

    def _as_shaded(self, rgba: NDArray[Any]) -> NDArray[Any]:
        """Linear RGBA in the terms that shading happens in: as it is, or encoded where nothing is ever decoded."""
        if self._shading != "gamma_free":
            return rgba
        return np.concatenate([srgb_encoded(rgba[..., :3]), rgba[..., 3:]], axis=-1)


def _weighted(layer: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([layer[..., :3] * layer[..., 3:], layer[..., 3:]], axis=-1)


def _frustum(right: float, top: float, near: float, far: float) -> Array:
    """The matrix of glFrustum for a symmetric frame."""
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[1, 1] = near / right, near / top
    matrix[2, 2:] = -(far + near) / (far - near), -2 * far * near / (far - near)
    matrix[3, 2] = -1
    return matrix
