"""Light and motif of a card: from the prompt's words, else chosen by the seed. Pure data and look-up."""

from __future__ import annotations

import random
import re
from typing import Final, Literal

from reconciler.frozen import dataclass

Colour = tuple[int, int, int]
Motif = Literal["hills", "sea", "city", "still life"]


@dataclass(frozen=True, slots=True)
class Mood:
    """The colours of a time of day and a weather: the sky from top to horizon, its light, the land far and near."""

    top: Colour
    middle: Colour
    horizon: Colour
    light: Colour
    far: Colour
    near: Colour
    stars: bool = False


MOODS: Final = {
    "dawn": Mood((50, 66, 104), (158, 122, 142), (238, 190, 158), (255, 232, 204), (146, 124, 146), (34, 36, 56)),
    "day": Mood((66, 112, 160), (128, 168, 196), (206, 220, 222), (255, 250, 236), (122, 154, 172), (30, 52, 60)),
    "dusk": Mood((40, 32, 70), (142, 66, 92), (236, 144, 94), (255, 212, 148), (118, 68, 98), (26, 20, 38)),
    "night": Mood((8, 12, 26), (18, 30, 56), (50, 70, 104), (226, 233, 242), (40, 56, 86), (7, 10, 20), stars=True),
    "forest": Mood((58, 88, 88), (124, 156, 134), (204, 214, 182), (250, 246, 214), (104, 138, 118), (16, 36, 32)),
    "sand": Mood((104, 134, 156), (202, 174, 144), (240, 212, 172), (255, 244, 220), (198, 148, 108), (86, 48, 36)),
    "snow": Mood((92, 120, 150), (164, 184, 202), (222, 228, 232), (255, 254, 248), (170, 188, 206), (58, 80, 106)),
    "rain": Mood((52, 60, 70), (98, 108, 116), (160, 168, 170), (210, 214, 214), (100, 110, 118), (24, 28, 34)),
    "clay": Mood((150, 112, 96), (192, 152, 130), (222, 190, 166), (255, 240, 222), (176, 122, 98), (92, 56, 46)),
    "sage": Mood((98, 112, 100), (146, 160, 142), (194, 202, 182), (250, 250, 232), (122, 140, 118), (52, 64, 56)),
    "ink": Mood((38, 48, 66), (70, 86, 108), (124, 142, 162), (232, 238, 244), (84, 104, 130), (24, 30, 44)),
    "plum": Mood((72, 50, 70), (122, 86, 110), (186, 146, 154), (252, 232, 226), (138, 96, 116), (44, 28, 44)),
}

_INDOORS: Final = ("clay", "sage", "ink", "plum")

_LIGHT_PATTERNS: Final = (
    ("night", r"\b(?:night|midnight|moon\w*|stars|starry|dark)\b|夜|月|星空|星光"),
    ("dawn", r"\b(?:dawn|sunrise|morning|daybreak)\b|日出|清晨|黎明|晨|朝霞"),
    ("dusk", r"\b(?:dusk|sunset|evening|twilight|golden hour|neon)\b|日落|夕阳|黄昏|傍晚|晚霞|霓虹"),
    ("rain", r"\b(?:rain\w*|storm\w*|fog\w*|overcast)\b|雨|雾|暴风|阴天"),
    ("snow", r"\b(?:snow\w*|winter|ice|icy|glacier)\b|雪|冬|冰"),
    ("sand", r"\b(?:desert|sand|dunes?|canyon)\b|沙漠|沙丘|峡谷"),
    ("forest", r"\b(?:forest|woods|jungle|garden|meadow|bamboo|grass)\b|森林|树林|竹|花园|草"),
)
_PLACE_PATTERNS: Final = (
    ("city", r"\b(?:city|street|storefront|skyline|tower|rooftop|downtown|traffic|neon)\b|城市|街|楼|霓虹|都市|店"),
    (
        "sea",
        r"\b(?:sea|ocean|lake|river|boat|ship|harbou?r|beach|coast|waves?|lighthouse|island)\b"
        r"|海|湖|江|河|船|港|浪|灯塔|岛",
    ),
    (
        "hills",
        r"\b(?:mountains?|hills?|valley|landscape|sky|clouds?|field|plains?|horizon|peaks?)\b"
        r"|山|谷|风景|天空|云|田野",
    ),
)
_MOTIFS: Final[dict[str, Motif]] = {"city": "city", "sea": "sea", "hills": "hills"}


def read_mood(prompt: str, seed: int) -> tuple[Motif, Mood]:
    """Return the motif and the light that a prompt names; the seed chooses what it does not name."""
    place = _first_match(_PLACE_PATTERNS, prompt)
    light = _first_match(_LIGHT_PATTERNS, prompt)
    generator = random.Random(seed)
    if place is None and light is None:
        return "still life", MOODS[generator.choice(_INDOORS)]
    if light is None:
        light = generator.choice(("dawn", "day", "dusk"))
    return _MOTIFS[place or "hills"], MOODS[light]


def _first_match(table: tuple[tuple[str, str], ...], prompt: str) -> str | None:
    return next((name for name, pattern in table if re.search(pattern, prompt, re.IGNORECASE)), None)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Return a colour between two: `share` of the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return (red, green, blue)
