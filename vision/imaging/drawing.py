"""Images of coloured shapes, to try the studio with. Each follows from its number alone, and its boxes are exact."""

from __future__ import annotations

import colorsys
import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 320, 240
NAMES = ("circle", "square", "triangle")
SEED = 1854
# Radii of the circles around one shape alone and around one of several, in pixels.
ALONE, TOGETHER = (42.0, 92.0), (24.0, 52.0)
EDGE = 3  # pixels between a shape and the edge of the image
GAP = 6  # pixels between two shapes
# How far a shape's colour is from those of the background at least, as a distance in RGB.
CONTRAST = 110.0
# Saturation and value.
GROUND, FILLING = ((0.0, 0.4), (0.25, 0.95)), ((0.45, 1.0), (0.3, 1.0))
TRIES = 200
# Shapes lean towards a hue of their kind (in turns) and stand almost upright: a small network that begins from nothing
# learns from 300 images then, and still errs.
HUES = {"circle": 0.03, "square": 0.36, "triangle": 0.63}
HUE_SPREAD, ANY_HUE = 0.08, 0.15
UPRIGHT = {"circle": 0.0, "square": math.pi / 4, "triangle": -math.pi / 2}
TILT = 0.35

Color = tuple[float, float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Shape:
    """A shape in a circle of `radius` pixels around `x`, `y`; `angle` is in radians, `color` is RGB, 0 to 255."""

    name: str
    x: float
    y: float
    radius: float
    angle: float
    color: Color

    @property
    def box(self) -> Box:
        """`x_min, y_min, x_max, y_max` in pixels, around exactly the pixels that are painted."""
        x_min, y_min, x_max, y_max = self.mask().getbbox() or (0, 0, 0, 0)
        return float(x_min), float(y_min), float(x_max), float(y_max)

    def mask(self) -> Image.Image:
        """`(HEIGHT, WIDTH)` uint8: 255 where the shape is, 0 elsewhere."""
        mask = Image.new("L", (WIDTH, HEIGHT))
        draw = ImageDraw.Draw(mask)
        if self.name == "circle":
            r = self.radius
            draw.ellipse((self.x - r, self.y - r, self.x + r, self.y + r), fill=255)
        else:
            draw.polygon(self._corners(), fill=255)
        return mask

    def _corners(self) -> list[tuple[float, float]]:
        count = 4 if self.name == "square" else 3
        angles = [self.angle + 2 * math.pi * corner / count for corner in range(count)]
        return [(self.x + self.radius * math.cos(at), self.y + self.radius * math.sin(at)) for at in angles]


@dataclass(frozen=True)
class Scene:
    """What is on one image. `blur` is a radius in pixels, `noise` a standard deviation, `quality` that of the JPEG."""

    key: tuple[int, ...]
    ground: tuple[Color, Color]
    shapes: tuple[Shape, ...]
    blur: float
    noise: float
    quality: int


def plan_scene(number: int, *, most_shapes: int = 1) -> Scene:
    """The scene of this number: with one large shape, the kinds in turn, or with 1 to `most_shapes` of any kind."""
    key = (SEED, most_shapes, number)
    random = np.random.default_rng(key)
    ground = (_color(random, random.random(), GROUND), _color(random, random.random(), GROUND))
    names = [NAMES[number % len(NAMES)]]
    if most_shapes > 1:
        names = [str(name) for name in random.choice(NAMES, size=random.integers(1, most_shapes, endpoint=True))]
    shapes: list[Shape] = []
    for name in names:
        shape = _placed(random, name, ALONE if most_shapes == 1 else TOGETHER, shapes, ground)
        shapes += [shape] if shape is not None else []
    return Scene(
        key,
        ground,
        tuple(shapes),
        blur=random.uniform(0.5, 1.3),
        noise=random.uniform(2, 9),
        quality=int(random.integers(82, 94)),
    )


def draw(scene: Scene) -> bytes:
    """The scene as a JPEG of 320 x 240 pixels; the same bytes each time."""
    random = np.random.default_rng((*scene.key, 2))
    image = paint(scene).filter(ImageFilter.GaussianBlur(scene.blur))
    noise = random.standard_normal((HEIGHT, WIDTH, 1), dtype=np.float32)
    pixels = np.asarray(image, dtype=np.float32) + np.float32(scene.noise) * noise
    target = io.BytesIO()
    _image(pixels).save(target, "JPEG", quality=scene.quality)
    return target.getvalue()


def paint(scene: Scene) -> Image.Image:
    """The scene with hard edges, before blur and noise."""
    image = _background(scene)
    for shape in scene.shapes:
        image.paste(_filling(shape), mask=shape.mask())
    return image


def _background(scene: Scene) -> Image.Image:
    """Two colours that run into each other, clouds, and a few soft spots and strokes."""
    random = np.random.default_rng((*scene.key, 1))
    along = _slope(random.uniform(0, 2 * math.pi))[..., None]
    first, second = (np.array(color, dtype=np.float32) for color in scene.ground)
    clouds = Image.fromarray(random.normal(0, 16, (6, 8)).astype(np.float32))
    cloudy = np.asarray(clouds.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))[..., None]
    image = _image(first * (1 - along) + second * along + cloudy)
    draw = ImageDraw.Draw(image)
    for _ in range(random.integers(3, 9)):
        x, y, dx, dy = random.uniform((0, 0, -90, -60), (WIDTH, HEIGHT, 90, 60))
        color = tuple(int(value) for value in np.clip(first + random.normal(0, 26, 3), 0, 255))
        if random.random() < 0.5:
            draw.line((x - dx, y - dy, x + dx, y + dy), fill=color, width=int(random.integers(2, 8)))
        else:
            draw.ellipse((x - abs(dx) / 2, y - abs(dy) / 2, x + abs(dx) / 2, y + abs(dy) / 2), fill=color)
    return image.filter(ImageFilter.GaussianBlur(random.uniform(2, 6)))


def _filling(shape: Shape) -> Image.Image:
    """The shape's colour, a little lighter on one side."""
    light = np.float32(24) * (_slope(shape.angle) - np.float32(0.5))[..., None]
    return _image(np.array(shape.color, dtype=np.float32) + light)


def _slope(angle: float) -> np.ndarray:
    """`(HEIGHT, WIDTH)` float, from 0 to 1 in a direction."""
    x, y = np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32)[:, None]
    along = x * np.float32(math.cos(angle)) + y * np.float32(math.sin(angle))
    return (along - along.min()) / (along.max() - along.min())


def _placed(
    random: np.random.Generator, name: str, radii: tuple[float, float], others: list[Shape], ground: tuple[Color, ...]
) -> Shape | None:
    """A shape that is wholly on the image and touches no other; None where there is no room left."""
    angle, color = UPRIGHT[name] + random.uniform(-TILT, TILT), _distinct(random, name, ground)
    for _ in range(TRIES):
        radius = random.uniform(*radii)
        margin = radius + EDGE
        x, y = random.uniform(margin, WIDTH - margin), random.uniform(margin, HEIGHT - margin)
        if all(math.hypot(x - other.x, y - other.y) > radius + other.radius + GAP for other in others):
            return Shape(name, x, y, radius, angle, color)
    return None


def _distinct(random: np.random.Generator, name: str, ground: tuple[Color, ...]) -> Color:
    """A colour that is seen on this background; of many tries the best."""
    hue = random.random() if random.random() < ANY_HUE else random.normal(HUES[name], HUE_SPREAD) % 1
    colors = [_color(random, hue, FILLING) for _ in range(20)]
    distances = [min(math.dist(color, other) for other in ground) for color in colors]
    return next(
        (color for color, distance in zip(colors, distances, strict=True) if distance >= CONTRAST),
        colors[int(np.argmax(distances))],
    )


def _color(random: np.random.Generator, hue: float, ranges: tuple[tuple[float, float], tuple[float, float]]) -> Color:
    """Of saturation and value in these ranges."""
    red, green, blue = colorsys.hsv_to_rgb(hue, *(random.uniform(*limits) for limits in ranges))
    return 255 * red, 255 * green, 255 * blue


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
