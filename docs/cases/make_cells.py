"""The cells of a case: `python docs/cases/make_cells.py mali --grid cells.csv --outline countries-10m.json`.

Writes conf/country/<case>_cells.csv from three things that the project does not carry, and one that it does:

--grid     half-degree cells of PRIO-GRID 2.0 as a CSV: iso3, xcoord, ycoord, ttime_min (minutes to a city of 50,000)
--outline  the countries of Natural Earth 1:10 million as TopoJSON (the npm package world-atlas has them)
and docs/cases/<case>_land.yaml: districts with their people and towns, shares of communities, deposits, the state.

Prints where each town lies (row, column), for the country file. The same input makes the same table.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import yaml

HERE = Path(__file__).resolve().parent
CONF = HERE.parent.parent / "conf" / "country"
KM_PER_DEGREE = 111.2
NEAR_TOWN = 35.0  # km over which the people of the countryside thin out around a town, as in car_cells.csv
SCATTERED = 0.03  # of the density at a town, that of the farthest countryside (assumed)
INSIDE = 5  # sample points along a side of a cell, to say how much of it is land of the country


def rings(outline, name):
    """Return the rings of a country's outline, each (n, 2) longitudes and latitudes."""
    scale, shift = (np.array(outline["transform"][k]) for k in ("scale", "translate"))
    arcs = [np.cumsum(arc, axis=0) * scale + shift for arc in map(np.array, outline["arcs"])]
    shapes = outline["objects"]["countries"]["geometries"]
    found = next((s for s in shapes if s["properties"]["name"] == name), None)
    if found is None:
        raise ValueError(f"the outline has no country {name!r}")
    polygons = [found["arcs"]] if found["type"] == "Polygon" else found["arcs"]

    def closed(ring):
        return np.concatenate([arcs[a] if a >= 0 else arcs[~a][::-1] for a in ring])

    return [closed(ring) for polygon in polygons for ring in polygon]


def within(lines, x, y):
    """Say which points lie inside rings, by counting crossings: bool, of the shape of x and y."""
    inside = np.zeros(x.shape, dtype=bool)
    for line in lines:
        for (x1, y1), (x2, y2) in zip(line, np.roll(line, -1, axis=0)):
            if y1 != y2:
                inside ^= ((y1 > y) != (y2 > y)) & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return inside


class Map:
    """A plane of square cells over a country: row 0 in the south, column 0 in the west."""

    def __init__(self, land, lines):
        west, south, east, north = land["box"]
        self.km, self.west, self.south = land["cell_km"], west, south
        self.per_x = KM_PER_DEGREE * np.cos(np.radians((south + north) / 2))
        cols = int(np.ceil((east - west) * self.per_x / self.km))
        rows = int(np.ceil((north - south) * KM_PER_DEGREE / self.km))
        step = (np.arange(INSIDE) + 0.5) / INSIDE
        r, c, i, j = np.meshgrid(np.arange(rows), np.arange(cols), step, step, indexing="ij")
        share = within(lines, *self.at(r + i, c + j)).mean(axis=(2, 3))
        self.row, self.col = np.nonzero(share >= 0.5)  # at least half of it in the country

    def at(self, row, col):
        """Return the longitude and latitude of a place given in rows and columns."""
        return self.west + col * self.km / self.per_x, self.south + row * self.km / KM_PER_DEGREE

    def distance(self, lat, lon):
        """Return the km of every cell from a place: (C,)."""
        x, y = self.at(self.row + 0.5, self.col + 0.5)
        return np.hypot((x - lon) * self.per_x, (y - lat) * KM_PER_DEGREE)

    def cell(self, lat, lon):
        """Return the cell of a town: the one it lies in, or the nearest of the country."""
        return int(self.distance(lat, lon).argmin())


def travel_time(grid, iso3, ground):
    """Return the travel time to a city of every cell, from half-degree cells by inverse squared distance: (C,)."""
    rows = [r for r in csv.DictReader(grid) if r["iso3"] == iso3 and r["ttime_min"]]
    lon, lat, minutes = (np.array([float(r[k]) for r in rows]) for k in ("xcoord", "ycoord", "ttime_min"))
    d = np.array([ground.distance(b, a) for a, b in zip(lon, lat)])
    nearest = np.argsort(d, axis=0)[:4]
    weight = 1 / (np.take_along_axis(d, nearest, axis=0) ** 2 + 100.0)
    return (weight * minutes[nearest]).sum(axis=0) / weight.sum(axis=0)


def table(land, ground, minutes):
    """Return the columns of the table of cells, and the cell of every town."""
    districts, n = land["districts"], ground.row.size
    remoteness = np.clip(minutes / np.quantile(minutes, 0.95), 0, 1)
    towns = {t: (*where, name) for name, d in districts.items() for t, where in d["towns"].items()}
    away = np.array([ground.distance(lat, lon) for lat, lon, *_ in towns.values()])
    names = list(districts)
    district = np.array([names.index(list(towns.values())[t][3]) for t in away.argmin(axis=0)])
    at = {t: ground.cell(lat, lon) for t, (lat, lon, *_) in towns.items()}
    for t, cell in at.items():
        district[cell] = names.index(towns[t][3])
    scale = land["population"] / sum(d["persons"] for d in districts.values())
    people = np.zeros(n)
    for k, (name, d) in enumerate(districts.items()):
        mine = district == k
        density = (SCATTERED + np.exp(-away.min(axis=0) / NEAR_TOWN)) * (1.1 - remoteness) * mine
        left = d["persons"] - sum(persons for _, _, persons in d["towns"].values())
        if left < 0 or not mine.any():
            raise ValueError(f"{name} has {d['persons']} people, fewer than its towns, or no cell")
        people += density / density.sum() * left * scale
        for t, (_, _, persons) in d["towns"].items():
            people[at[t]] += persons * scale
    state = np.array([districts[names[k]].get("state", 1.0) for k in district])
    institutions = state * (0.1 + 0.2 * (1 - remoteness))
    for t, cell in at.items():
        institutions[cell] += 0.2 if t == land["capital"] else 0.05
    resources = np.zeros(n)
    for lat, lon, km, richness in land.get("deposits", {}).values():
        resources = np.maximum(resources, richness / (1 + (ground.distance(lat, lon) / km) ** 2) ** 2)
    cells = set(zip(ground.row.tolist(), ground.col.tolist()))
    border = [any((r + i, c + j) not in cells for i in (-1, 0, 1) for j in (-1, 0, 1)) for r, c in sorted(cells)]
    columns = {
        "row": ground.row, "col": ground.col, "admin1": np.array(names)[district],
        "population": np.round(people).astype(int),
        "remoteness": np.round(remoteness, 3), "resources": np.round(resources, 3),
        "institutions": np.round(np.clip(institutions, 0.05, 0.5), 3),
    }  # fmt: skip
    for community in land["communities"]:
        share = [districts[names[k]].get("shares", land.get("shares", {})).get(community, 0.0) for k in district]
        columns[f"share_{community}"] = np.array(share)
    columns["border"] = np.array(border, dtype=int)
    longitude, latitude = ground.at(ground.row + 0.5, ground.col + 0.5)
    return columns | {"latitude": np.round(latitude, 3), "longitude": np.round(longitude, 3)}, at


def main():
    """Make the table of a case."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("case")
    ask.add_argument("--grid", required=True)
    ask.add_argument("--outline", required=True)
    given = ask.parse_args()
    land = yaml.safe_load((HERE / f"{given.case}_land.yaml").read_text(encoding="utf-8"))
    outline = json.loads(Path(given.outline).read_text(encoding="utf-8"))
    ground = Map(land, rings(outline, land["outline"]))
    with open(given.grid, newline="", encoding="utf-8") as grid:
        columns, at = table(land, ground, travel_time(grid, land["iso3"], ground))
    lines = [",".join(columns), *(",".join(f"{v:g}" if isinstance(v, float) else str(v) for v in line)
                                  for line in zip(*(c.tolist() for c in columns.values())))]  # fmt: skip
    (CONF / f"{given.case}_cells.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for town, cell in at.items():
        print(f"  {town}: {{row: {ground.row[cell]}, col: {ground.col[cell]}}}")
    print(f"{ground.row.size} cells, {columns['population'].sum():,.0f} people")


if __name__ == "__main__":
    main()
