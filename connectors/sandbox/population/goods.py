"""What is sold: a catalogue of fashion and home goods, the same for every population."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from connectors.sandbox.population.draws import Floats, Ints, cumulate
from connectors.sandbox.population.texts import Texts, texts

_ITEMS = (
    ("Wool scarf", 2900),
    ("Leather gloves", 4900),
    ("Linen shirt", 5900),
    ("Cotton T-shirt", 1900),
    ("Merino jumper", 7900),
    ("Denim jacket", 8900),
    ("Rain coat", 11900),
    ("Chino trousers", 5900),
    ("Pleated skirt", 4900),
    ("Summer dress", 6900),
    ("Running shoes", 9900),
    ("Leather boots", 14900),
    ("Canvas sneakers", 5900),
    ("Ankle socks", 700),
    ("Silk tie", 3900),
    ("Felt hat", 4500),
    ("Tote bag", 2500),
    ("Weekender bag", 12900),
    ("Belt", 2900),
    ("Sunglasses", 7900),
    ("Bath towel", 1700),
    ("Bed linen", 6900),
    ("Wool blanket", 8900),
    ("Cushion cover", 1500),
    ("Candle", 1200),
    ("Ceramic mug", 900),
    ("Glass vase", 2400),
    ("Table lamp", 5900),
    ("Oak tray", 3400),
    ("Notebook", 800),
)
_COLOURS = ("navy", "sand", "forest", "black", "white")
CODES = (("WELCOME10", 10), ("SUMMER15", 15), ("FRIENDS20", 20))


@dataclass(frozen=True)
class Catalogue:
    """Parallel arrays; `price` in US cents without tax."""

    sku: Texts
    name: Texts
    price: Ints
    popularity: Floats


@cache
def catalogue() -> Catalogue:
    """The goods, most wanted first."""
    goods = [
        (f"SKU-{100_000 + 10 * item + colour}", f"{name}, {shade}", price)
        for colour, shade in enumerate(_COLOURS)
        for item, (name, price) in enumerate(_ITEMS)
    ]
    skus, names, prices = zip(*goods, strict=True)
    rank = np.arange(1, len(goods) + 1, dtype=np.float64)
    return Catalogue(
        texts(skus),
        texts(names),
        np.array(prices, dtype=np.int64),
        cumulate(1 / (rank + 10) ** 0.7),
    )
