"""The country on Mesa's own page in the browser: a map, two charts, controls.

It needs `python -m pip install -c constraints.txt -e '.[viz]'` and starts with `solara run docs/mesa_page.py`. The
classroom (`python -m experiments.classroom`) is faster and shows more; here begins a page of one's own in Mesa's words.
"""

from mesa.visualization import SolaraViz, make_plot_component, make_space_component
from mesa.visualization.components import AgentPortrayalStyle

from sim import PeaceModel, load
from sim.agents import AidTeam, ArmedBand, Civilian, Contingent
from sim.paths import choices

LOOKS = {  # without `zorder`: Mesa up to 3.5 leaves out who has an even one
    Civilian: {"color": "lightgrey", "size": 12},
    ArmedBand: {"color": "firebrick", "size": 20},
    Contingent: {"color": "royalblue", "size": 40},
    AidTeam: {"color": "darkorange", "size": 20},
}


class Country(PeaceModel):
    """The model, made of what the controls of the page say."""

    def __init__(self, mission="parallel", conflation=0.5, rng=1):
        chosen = f"mission={mission}", f"judge.conflation={conflation}", "mission.authorised=0", "weeks=260"
        super().__init__(load(*chosen, "civilians=500"), rng=rng)


def look(agent):
    """Return how somebody is drawn, north up: a cell's coordinate is its row and its column."""
    row, column = agent.cell.coordinate
    return AgentPortrayalStyle(x=column, y=row, **LOOKS[type(agent)])


page = SolaraViz(
    Country(),
    components=[
        make_space_component(look, draw_grid=False),
        make_plot_component(["civilians_killed", "brd"]),
        make_plot_component(["troops", "humanitarian_staff"]),
    ],
    model_params={
        "mission": {"type": "Select", "value": "parallel", "values": choices("mission"), "label": "mission model"},
        "conflation": {"type": "SliderFloat", "value": 0.5, "min": 0, "max": 1, "step": 0.1, "label": "conflation"},
        "rng": {"type": "SliderInt", "value": 1, "min": 1, "max": 30, "step": 1, "label": "seed"},
    },
    name="Partnership peacekeeping",
)
