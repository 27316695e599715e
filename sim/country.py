"""The country at the start: its land, its people, its armed factions.

A map is generated from a few heartlands, towns and deposits, or read from a table with one row per cell
(columns row, col, population, remoteness, resources, institutions, share_<community>; optional admin1, latitude and
longitude).
"""

import math
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import draws, readers
from sim.params import Country, Move, Params
from sim.paths import file_of
from sim.state import ABROAD, AWAY, HOME, Bands, Civilians, Factions, Land, zeros
from sim.values import among

START_KM = 100.0  # from a starting place, at most, to where a band begins


def weeks_until(start: str, day: str, where: str = "the date") -> float:
    """Return the weeks from the calendar date of week 0 to another date, which stands in the setting `where`."""
    return (a_date(day, where) - a_date(start, "country.start")).days / 7


def a_date(text: str, where: str) -> date:
    """Read a calendar date, YYYY-MM-DD; where : the setting that gives it, for the error (ValueError)."""
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"{where} is {text!r}; a date is written YYYY-MM-DD") from None


# ---------------------------------------------------------------------------------- the land


def make_land(country: Country, patrol_km: float, place_km: float) -> Land:
    """Build the cells of a country.

    What reaches how far is in km, so that results do not depend on the size of cells.

    Parameters
    ----------
    country : params.Country
    patrol_km : float, km at which a unit's presence halves
    place_km : float, km, side of a place
    """
    if country.observed:  # no rule reads it, but what cannot be right is said before the first week
        readers.months((file_of("country", country.observed), "country.observed"))
    if country.cells:
        cells = readers.cells(file_of("country", country.cells), "country.cells")
    else:
        cells = _generate_cells(country)
    row, col = cells["row"], cells["col"]
    shape = (int(row.max()) + 1, int(col.max()) + 1)
    index = np.full(shape, -1)
    index[row, col] = np.arange(row.size)
    reach = max(1, int(2 * patrol_km // country.cell_km))
    patrol, rings = _neighbours(index, row, col, reach)
    place, place_share = _square(index, row, col, place_km / country.cell_km)
    around, around_share = _square(index, row, col, 3 * place_km / country.cell_km)
    stride = max(1, round(place_km / country.cell_km))
    border = _km_to_border(index, row, col, country.cell_km)
    names = tuple(cells["shares"])
    shares = np.column_stack([cells["shares"][k] for k in names])
    return Land(
        row=row, col=col, shape=shape, cell_km=country.cell_km,
        births=cells["population"][:, None] * shares / shares.sum(axis=1, keepdims=True),
        remoteness=cells["remoteness"], resources=cells["resources"],
        border=border, town=_town_size(country, index), institutions=cells["institutions"].copy(),
        violence=zeros(row.size), felt=zeros(row.size), grief=zeros(row.size, len(names)),
        site=zeros(row.size), sheltered=zeros(row.size, len(names)), vaccinated=zeros(row.size),
        near=_neighbours(index, row, col, 1, stride)[0], patrol=patrol,
        place=place, place_share=place_share, reach=around, reach_share=around_share, stride=stride,
        place_area=(country.cell_km / place_km) ** 2,
        patrol_weight=np.array([0.5 ** (r * country.cell_km / patrol_km) for r in rings]),
        names=names, admin=cells.get("admin1"), latitude=cells.get("latitude"), longitude=cells.get("longitude"),
    )  # fmt: skip


def priogrid_of(latitude: ArrayLike, longitude: ArrayLike) -> NDArray[np.int64]:
    """Return the PRIO-GRID cell in which a place lies: gid, int, from 1 in the south-west, half a degree a side.

    Parameters
    ----------
    latitude, longitude : (n,) degrees, north and east
    """
    row = np.minimum(np.floor((np.asarray(latitude) + 90) * 2), 359)
    col = np.minimum(np.floor((np.asarray(longitude) + 180) * 2), 719)
    return (row * 720 + col + 1).astype(int)


def cell_at(land: Land, row: int, col: int) -> int:
    """Return the cell at a row and column, or -1 outside the country."""
    found = np.flatnonzero((land.row == row) & (land.col == col))
    return int(found[0]) if found.size else -1


def km_from(land: Land, cell: int) -> NDArray[np.float64]:
    """Return the distance in km (Euclidean) of every cell from one: (C,)."""
    return land.cell_km * np.hypot(land.row - land.row[cell], land.col - land.col[cell])


def land_of(land: Land, country: Country, name: str, km: float, where: str) -> NDArray[np.int64]:
    """Return the cells around a town, of an administrative unit, or where a community is the largest: (n,) int.

    Parameters
    ----------
    name : of a place, an administrative unit or a community; km : reach around a place; where : the setting, for errors
    """
    units = set() if land.admin is None else set(land.admin.tolist())
    if name in country.places:
        place = country.places[name]
        return np.flatnonzero(km_from(land, cell_at(land, place.row, place.col)) <= km)
    if name in units:
        return np.flatnonzero(land.admin == name)
    if name in land.names:
        return np.flatnonzero(land.births.argmax(axis=1) == land.names.index(name))
    raise ValueError(_unknown(where, name, {*country.places, *units, *land.names}))


def in_place(land: Land, amount: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the amounts of the place around each cell, from those of the cells: (C, ...)."""
    if land.place_share.size == 1 and land.place_share[0] == 1:
        return amount
    padded = np.concatenate([amount, np.zeros_like(amount[:1], dtype=float)])  # the last row: outside, nobody
    return sum(share * padded[land.place[:, p]] for p, share in enumerate(land.place_share))


def _steps(reach):
    """List the steps in rows and columns to the cells within `reach` (Chebyshev), nearest first."""
    steps = [(r, c) for r in range(-reach, reach + 1) for c in range(-reach, reach + 1)]
    return sorted(steps, key=lambda s: (max(abs(s[0]), abs(s[1])), s))


def _neighbours(index, row, col, reach, stride=1):
    """List the cells within `reach` strides (Chebyshev) of each, itself first, and the distance of each column."""
    steps, edge = _steps(reach), reach * stride
    padded = np.pad(index, edge, constant_values=-1)
    found = np.column_stack([padded[row + edge + stride * r, col + edge + stride * c] for r, c in steps])
    return np.ascontiguousarray(found), [max(abs(r), abs(c)) for r, c in steps]


def _square(index, row, col, side):
    """List the cells in a square of that side, in cells, around the middle of each, and the share of each in it."""
    edge = max(0, math.ceil(side / 2 - 0.5))
    along = [max(0.0, min(k + 0.5, side / 2) - max(k - 0.5, -side / 2)) for k in range(edge + 1)]
    share = np.array([along[abs(r)] * along[abs(c)] for r, c in _steps(edge)])
    return _neighbours(index, row, col, edge)[0], share


def _km_to_border(index, row, col, cell_km):
    """Return how many km each cell is from the nearest outside cell (Chebyshev, by peeling rings)."""
    inside = np.pad(index >= 0, 1)
    depth = np.zeros(inside.shape)
    while inside.any():
        depth[inside] += 1
        core = inside[1:-1, 1:-1].copy()
        for r in (0, 1, 2):
            for c in (0, 1, 2):
                core &= inside[r : r + core.shape[0], c : c + core.shape[1]]
        inside[1:-1, 1:-1] = core
    return (depth[1:-1, 1:-1][row, col] - 0.5) * cell_km


def _town_size(country, index):
    """Return the size of the town in each cell against the largest, 0..1: (C,)."""
    size = zeros(index.max() + 1)
    for name, place in country.places.items():
        inside = place.row < index.shape[0] and place.col < index.shape[1]
        cell = index[place.row, place.col] if inside else -1
        if cell < 0:
            raise ValueError(
                f"country.places.{name} lies at row {place.row}, col {place.col}, outside the country "
                f"({index.shape[0]} rows, {index.shape[1]} columns)"
            )
        size[cell] += max(place.persons, 1.0) ** 0.5 * (3 if place.capital and not place.persons else 1)
    return size / size.max() if size.max() > 0 else size


def _generate_cells(country):
    """Make a country of towns, heartlands and deposits on a full rectangle of cells."""
    if country.rows * country.cols < 2:
        raise ValueError(
            f"country.rows x country.cols is {country.rows} x {country.cols}; a country needs at least 2 cells"
        )
    if country.population < 1:
        raise ValueError(f"country.population is {country.population:g}; it must be at least 1 person")
    if not country.communities:
        raise ValueError("country.communities is empty; name at least one community and its heartland")
    if not any(h.weight > 0 for h in country.communities.values()):
        raise ValueError("country.communities have the weight 0, all of them; at least one must be above 0")
    row, col = (a.ravel() for a in np.mgrid[0 : country.rows, 0 : country.cols])
    texture = _texture(country)

    def nearness(spot):
        d = country.cell_km * np.hypot(row - spot.row, col - spot.col)
        return 1.0 / (1.0 + (d / getattr(spot, "km", 40.0)) ** 2)

    towns = list(country.places.values())
    to_town = np.max([nearness(t) for t in towns], axis=0) if towns else np.ones(row.size)
    remoteness = np.clip(1.1 - 1.3 * to_town**0.5 + 0.5 * (texture - 0.5), 0, 1)
    weights = {name: h.weight * nearness(h) ** 2 for name, h in country.communities.items()}
    rural = sum(weights.values()) * (0.4 + 1.2 * texture) * (1.15 - remoteness)
    in_towns = sum(t.persons for t in towns)
    if in_towns > country.population:
        raise ValueError(f"country.population is {country.population:g}; the places alone have {in_towns:g} persons")
    population = rural / rural.sum() * (country.population - in_towns)
    for t in towns:
        population[(row == t.row) & (col == t.col)] += t.persons
    capital = [nearness(t) for t in towns if t.capital] or [np.zeros(row.size)]
    resources = np.max([d.weight * nearness(d) ** 2 for d in country.deposits.values()] or [np.zeros(row.size)], axis=0)
    return {
        "row": row, "col": col, "population": population, "remoteness": remoteness, "shares": weights,
        "resources": np.clip(resources, 0, 1),
        "institutions": np.clip(0.1 + 0.35 * capital[0] ** 0.5 + 0.15 * to_town - 0.1 * remoteness, 0.02, 1),
    }  # fmt: skip


def finer(country: Country, times: float) -> Country:
    """Return the same country on a generated map of so many times as many cells a side, everything where it was.

    Raises
    ------
    ValueError
        A country that is read from a table of cells, or `times` not above 0.
    """
    if country.cells:
        raise ValueError(f"country.cells is {country.cells!r}; only a generated map can be drawn with other cells")
    if not times > 0:
        raise ValueError(f"finer is {times:g}; it must be above 0")

    def along(at):  # a point stays where it was, counted from the middle of the first cell; a cell has its middle
        return math.floor((at + 0.5) * times) if isinstance(at, int) else (at + 0.5) * times - 0.5

    def moved(spots):
        return {name: replace(s, row=along(s.row), col=along(s.col)) for name, s in spots.items()}

    return replace(
        country, rows=round(country.rows * times), cols=round(country.cols * times), cell_km=country.cell_km / times,
        places=moved(country.places), communities=moved(country.communities), deposits=moved(country.deposits),
    )  # fmt: skip


def _texture(country, knots=7):
    """Return smooth noise in 0..1 over the rectangle: a coarse random lattice, interpolated."""
    lattice = draws.Draws(country.map_seed).uniform("map", knots * knots)
    lattice = lattice.reshape(knots, knots)
    r = np.linspace(0, knots - 1.001, country.rows)
    c = np.linspace(0, knots - 1.001, country.cols)
    i, j = r.astype(int), c.astype(int)
    a, b = (r - i)[:, None], (c - j)[None, :]
    a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
    low = lattice[np.ix_(i, j)] * (1 - b) + lattice[np.ix_(i, j + 1)] * b
    high = lattice[np.ix_(i + 1, j)] * (1 - b) + lattice[np.ix_(i + 1, j + 1)] * b
    return (low * (1 - a) + high * a).ravel()


# ---------------------------------------------------------------------------------- the people


def make_civilians(params: Params, land: Land, n_factions: int, n_commands: int, luck: draws.Draws) -> Civilians:
    """Settle n civilian agents in proportion to the people of each cell and community.

    Agent i stands for the persons between i/n and (i+1)/n of the country, so that the total is exact and
    does not depend on n.

    Returns
    -------
    Civilians: N agents, in the order of cells and, in a cell, of communities; trust (N, n_commands), all at feel.start

    Raises
    ------
    ValueError
        More agents than persons.
    """
    n = params.civilians
    where = land.births.ravel().cumsum()
    total = round(where[-1])
    if total < n:
        raise ValueError(f"civilians is {n}; the country has only {total} persons, at least one per agent")
    edges = np.arange(n + 1) * total // n
    slot = np.searchsorted(where, (np.arange(n) + 0.5) * where[-1] / n, side="right")
    slot = np.minimum(slot, where.size - 1)
    home, community = (x.astype(np.int32) for x in np.divmod(slot, land.births.shape[1]))
    born = np.diff(edges).astype(np.int32)
    people = Civilians(
        home=home, cell=home.copy(), community=community, born=born, persons=born.copy(),
        status=np.full(n, HOME, dtype=np.int8), need=np.full(n, 0.1),
        grievance=np.full((n, n_factions), float(params.country.grievance)),
        trust=np.full((n, n_commands), float(params.feel.start)),
    )  # fmt: skip
    flees = luck.uniform("start.displaced", n) < params.country.displaced_share
    pull = (land.town + 0.02 * land.births.sum(axis=1) / land.births.sum(axis=1).max()).cumsum()
    refuge = np.searchsorted(pull, luck.uniform("start.refuge", n) * pull[-1], side="right")
    abroad = flees & (luck.uniform("start.abroad", n) < params.country.abroad_share)
    people.cell[flees], people.status[flees] = np.minimum(refuge, pull.size - 1)[flees], AWAY
    people.cell[abroad], people.status[abroad] = home[abroad], ABROAD
    people.need[flees] = 0.4
    return people


# ---------------------------------------------------------------------------------- the factions


def make_factions(country: Country, land: Land, n_commands: int, move: Move) -> Factions:
    """Build the armed factions in the order of their names.

    Parameters
    ----------
    country : params.Country; land : Land; n_commands : int, chains of command
    move : params.Move, what bands are drawn by
    """
    if not country.factions:
        raise ValueError("country.factions is empty; name at least one armed faction")
    names = tuple(sorted(country.factions))
    all_of = [country.factions[n] for n in names]
    n = len(names)
    if sum(f.host for f in all_of) > 1:
        raise ValueError(f"country.factions has {sum(f.host for f in all_of)} hosts; at most one is the government")
    rival = ~np.eye(n, dtype=bool)
    for i, f in enumerate(all_of):
        for name in f.rivals or []:
            if name not in names:
                raise ValueError(_unknown(f"country.factions.{names[i]}.rivals", name, names))
        if f.rivals is not None:
            rival[i] &= np.isin(names, f.rivals)
        for name, weight in f.community.items():
            if name not in land.names:
                raise ValueError(_unknown(f"country.factions.{names[i]}.community", name, land.names))
            if not 0 <= weight <= 1:  # false for nan, too
                raise ValueError(
                    f"country.factions.{names[i]}.community.{name} is {weight:g}; it must lie in [0, 1] share"
                )
    start = country.start
    a_date(start, "country.start")
    where = [f"country.factions.{n}" for n in names]
    enters = [weeks_until(start, f.enters, f"{w}.enters") if f.enters else 0.0 for f, w in zip(all_of, where)]
    leaves = [weeks_until(start, f.leaves, f"{w}.leaves") if f.leaves else np.inf for f, w in zip(all_of, where)]
    enters, leaves = np.array(enters), np.array(leaves)
    for i in np.flatnonzero(leaves <= enters):
        raise ValueError(
            f"country.factions.{names[i]} leaves on {all_of[i].leaves}, before it enters on {all_of[i].enters or start}"
        )

    def column(name):
        return np.array([getattr(f, name) for f in all_of], dtype=float)

    def hired(name):
        return np.array([getattr(f.hired, name) for f in all_of], dtype=float)

    contract = np.array([_contract(start, f, w) for f, w in zip(all_of, where)], dtype=float)
    community = np.array([[min(1.0, f.community.get(k, 0.0)) for k in land.names] for f in all_of])
    own = np.array([(in_place(land, land.births) * share).sum(axis=1) for share in community])
    own /= np.maximum(own.mean(axis=1, keepdims=True), 1e-9)
    return Factions(
        names=names, host=np.array([f.host for f in all_of]), rival=rival & rival.T, community=community,
        comfort=move.elsewhere + own + move.loot * column("loot")[:, None] * land.resources,
        enters=enters, leaves=leaves, keep=column("fighters"), ceiling=column("ceiling"),
        abuse=column("abuse"), loot=column("loot"), sponsor=column("sponsor"), commitment=column("commitment"),
        campaign=zeros(n), vigour=np.ones(n), objective=np.full(n, -1), rest=zeros(n),
        provocation=np.where(enters <= 0, column("outbreak"), 0.0), abuse_record=zeros(n), pressure=zeros(n),
        wronged=zeros(n),
        dispersed=zeros(n), demobilised=zeros(n), settled=zeros(n), hostility=zeros(n, n_commands), aggression=zeros(n),
        nature=column("abuse"), own_abuse=column("abuse"), mobilised=column("mustered"),
        armed=np.ones(n), hired=zeros(n),
        sponsored=[_sponsored(start, f, w) for f, w in zip(all_of, where)],
        musters=column("mustered"), outbreak=column("outbreak"), hired_men=hired("fighters"),
        hired_since=contract[:, 0], hired_until=contract[:, 1], hired_income=hired("income"),
        hired_skill=hired("skill"), hired_abuse=hired("abuse"), smear=zeros(n, n_commands),
    )  # fmt: skip


def _sponsored(start, faction, where):
    """Return weeks and sponsor of a faction whose sponsor changes in time."""
    for day, share in faction.sponsored.items():
        if not 0 <= share <= 1:  # false for nan, too
            raise ValueError(f"{where}.sponsored is {share:g} on {day}; it must lie in [0, 1] share")
    at = sorted((weeks_until(start, day, f"{where}.sponsored"), s) for day, s in faction.sponsored.items())
    return (np.array([w for w, _ in at]), np.array([s for _, s in at])) if at else None


def _contract(start, faction, where):
    """Return the first and the last week of a faction's hired men."""
    hired = faction.hired
    since = weeks_until(start, hired.since, f"{where}.hired.since") if hired.since else 0.0
    until = weeks_until(start, hired.until, f"{where}.hired.until") if hired.until else np.inf
    if until <= since:
        raise ValueError(f"{where}.hired ends on {hired.until}, before it begins on {hired.since or start}")
    return since, until


def make_bands(country: Country, land: Land, factions: Factions, luck: draws.Draws, loot_base: float) -> Bands:
    """Place each faction's bands: around its starting places, or among its own people and resources.

    Parameters
    ----------
    loot_base : 0..1 pull of a place without resources on those who live from loot (move.loot_base)

    Returns
    -------
    Bands: B in all, faction by faction in the order of their names; a band has 0.5 to 1.5 of the mean size
    """
    faction, home, fighters = [], [], []
    for f, name in enumerate(factions.names):
        spec = country.factions[name]
        who = draws.key(name) % 2**32 * 2**16 + np.arange(spec.bands)  # the same band whoever else is there
        who = who.astype(np.uint64)
        pull = _start_pull(country, land, factions, f, loot_base).cumsum()
        cells = np.searchsorted(pull, luck.uniform("start.band", who) * pull[-1], side="right")
        home.append(np.minimum(cells, pull.size - 1))
        size = 0.5 + luck.uniform("start.size", who)
        fighters.append(size / size.sum() * (spec.fighters * spec.mustered if factions.enters[f] <= 0 else 0))
        faction.append(np.full(spec.bands, f))
    faction, home, fighters = (np.concatenate(x) for x in (faction, home, fighters))
    n = faction.size
    return Bands(
        faction=faction, home=home, cell=home.copy(), fighters=fighters, losses=zeros(n),
        taking_part=zeros(n, dtype=bool), paused=zeros(n), held_up=zeros(n),
    )  # fmt: skip


def _start_pull(country, land, factions, f, loot_base):
    """Return the pull of every cell on the homes of a faction's bands: (C,)."""
    name = factions.names[f]
    own = land.births @ factions.community[f] + 1.0
    if country.factions[name].start:
        pull = zeros(land.row.size)
        for town in country.factions[name].start:
            if town not in country.places:
                raise ValueError(_unknown(f"country.factions.{name}.start", town, country.places))
            place = country.places[town]
            km = km_from(land, cell_at(land, place.row, place.col))
            pull += (km <= START_KM) * own / own.mean() / (1 + (km / 50.0) ** 2)
        return pull
    return own / own.mean() * (1 + loot_base * factions.loot[f] * land.resources)


def _unknown(where, name, known):
    return f"{where} names {name!r}{among(name, sorted(known))}"
