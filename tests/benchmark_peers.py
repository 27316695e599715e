"""Print how fast the simulator is beside others: python -m tests.benchmark_peers [PYTHON ...]

Each case is a fresh process, and those of one size take turns, so that all meet the same machine; what is counted is
agents x steps a second of processor time, after imports and a first run that compiles. The peers need packages that do
not get along with each other: each is run by the first Python, this one or one that is given, which has it. They do
other things than this model: an infection, an exchange of wealth, a crowd that looks around. What can be compared is
what an agent's step costs. Nothing here passes or fails: a test never times.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
SIZES = (5_000, 100_000)
TIMES = 3
MEASURE = """
import json, sys, time
n = int(sys.argv[1])
{code}
run(make(min(n, 1_000), 5), 5)
steps = {steps}[n]
made = make(n, steps)
start = time.process_time()
run(made, steps)
print(json.dumps(n * steps / (time.process_time() - start)))
"""
OURS = """
from sim import PeaceModel, load
def make(n, steps):
    return PeaceModel(load("mission=separated", "mission.authorised=4", f"civilians={n}", f"weeks={steps}"))
def run(model, steps): model.run()
"""
EXCHANGE = """
def run(model, steps):
    for _ in range(steps):
        model.step()
"""
FEW, MANY = {5_000: 20, 100_000: 5}, {5_000: 260, 100_000: 52}
PEERS = {  # name: (what must be there, code that defines make(n, steps) and run(made, steps), steps by size)
    "Starsim, SIR on a random network": ("starsim", """
import starsim as ss
def make(n, steps): return ss.Sim(n_agents=n, diseases="sir", networks="random", dur=steps - 1, verbose=0).init()
def run(model, steps): model.run()
""", MANY),
    "Covasim, random contacts": ("covasim", """
import covasim as cv
def make(n, steps):
    model = cv.Sim(pop_size=n, n_days=steps, verbose=0)
    (getattr(model, "initialize", None) or model.init)()
    return model
def run(model, steps): model.run()
""", MANY),
    "Mesa, exchange of wealth": ("mesa.examples.basic.boltzmann_wealth_model.model", """
from mesa.examples.basic.boltzmann_wealth_model.model import BoltzmannWealth
def make(n, steps): return BoltzmannWealth(n=n, width=int(n**0.5), height=int(n**0.5))
""" + EXCHANGE, FEW),
    "Mesa, civil violence": ("mesa.examples.advanced.epstein_civil_violence.model", """
from mesa.examples.advanced.epstein_civil_violence.model import EpsteinCivilViolence
def make(n, steps): return EpsteinCivilViolence(width=int((n / 0.774) ** 0.5), height=int((n / 0.774) ** 0.5))
""" + EXCHANGE, {5_000: 5, 100_000: 1}),
    "mesa-frames, exchange of wealth": ("mesa_frames", """
import polars as pl
from mesa_frames import AgentSetPolars, ModelDF
class Money(AgentSetPolars):
    def __init__(self, n, model):
        super().__init__(model)
        self += pl.DataFrame({"unique_id": pl.arange(n, eager=True), "wealth": pl.ones(n, eager=True)})
    def step(self):
        self.select(self.wealth > 0)
        to = self.agents.sample(n=len(self.active_agents), with_replacement=True)
        self["active", "wealth"] -= 1
        got = to.group_by("unique_id").len()
        self[got, "wealth"] += got["len"]
class Country(ModelDF):
    def __init__(self, n):
        super().__init__()
        self.agents += Money(n, self)
    def step(self): self.agents.do("step")
def make(n, steps): return Country(n)
""" + EXCHANGE, FEW),
    "AMBER, exchange of wealth": ("ambr", """
import ambr
class Wealth(ambr.Model):
    def setup(self): self.add_agents(self.p["n"], wealth=1)
    def step_vectorized(self):
        givers = self.agents.where(self.agents.wealth > 0)
        givers.wealth -= 1
        to = self.rng.choice(self.agents.ids.to_numpy(), size=len(givers))
        self.agents.at[to].scatter_add(wealth=1)
def make(n, steps): return Wealth({"n": n, "steps": steps, "seed": 1, "show_progress": False}).cpu(mode="vectorized")
def run(model, steps): model.run()
""", MANY),
    "Abmax, exchange of wealth": ("abmax", """
from functools import partial
import jax
import jax.numpy as jnp
from abmax import functions, structs
from flax import struct
@struct.dataclass
class Money(structs.Agent):
    @staticmethod
    def create_agent(type, params, unique_id, active_state, key):
        return Money(id=unique_id, active_state=active_state, age=0.0, agent_type=type, params=None,
                     state=structs.State({"wealth": params.content["wealth"]}), policy=None, key=key)
    @staticmethod
    def step(agent, given, params):
        wealth = agent.state.content["wealth"]
        return agent.replace(state=structs.State({"wealth": wealth - (wealth > 0) + given.content["got"]}))
@partial(jax.jit, static_argnums=(1, 2))
def steps_of(people, n, steps):
    def step(people, key):
        gives = people.agents.state.content["wealth"] > 0
        to = jax.random.randint(key, (n,), 0, n)
        got = structs.Signal({"got": jnp.zeros(n, jnp.int32).at[to].add(gives)})
        return functions.step_agents(Money.step, None, got, people), None
    return jax.lax.scan(step, people, jax.random.split(people.key, steps))[0]
def make(n, steps):
    key = jax.random.PRNGKey(1)
    agents = functions.create_agents(Money, structs.Params({"wealth": jnp.ones(n, jnp.int32)}), n, n, 0, key)
    people = structs.Set(num_agents=n, num_active_agents=n, agents=agents, id=0, set_type=0, params=None, state=None,
                         policy=None, key=key)
    return steps_of.lower(people, n, steps).compile(), people
def run(made, steps):
    compiled, people = made
    assert int(compiled(people).agents.state.content["wealth"].sum()) == people.num_agents
""", MANY),
    "Modelly, exchange of wealth": ("modelly", """
from modelly import Model
from modelly.space import CellAgent, OrthogonalMooreGrid
class Money(CellAgent):
    def __init__(self, model, cell):
        super().__init__(model)
        self.cell, self.wealth = cell, 1
    def step(self):
        self.cell = self.cell.neighborhood.select_random_cell()
        others = [a for a in self.cell.agents if a is not self]
        if self.wealth > 0 and others:
            self.random.choice(others).wealth += 1
            self.wealth -= 1
class Country(Model):
    def __init__(self, n):
        super().__init__()
        self.grid = OrthogonalMooreGrid((int(n**0.5), int(n**0.5)), random=self.random)
        Money.create_agents(self, n, self.random.choices(self.grid.all_cells.cells, k=n))
    def step(self): self.agents.shuffle_do("step")
def make(n, steps): return Country(n)
""" + EXCHANGE, FEW),
}  # fmt: skip


def rate(python, code, steps, n):
    """Return agent-steps a second of processor time, in a fresh process."""
    done = subprocess.run(
        [python, "-c", MEASURE.format(code=code, steps=steps), str(n)], cwd=HERE, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(HERE)} if code is OURS else None,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])


def has(python, module):
    """Say whether a Python has a package."""
    return not subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode


def main(pythons):
    """Print the table."""
    print(f"{'agent-steps a second of processor time':<42}" + "".join(f"{n:>14,}{'x':>8}" for n in SIZES))
    ours = dict.fromkeys(SIZES, 0.0)
    for name, (module, code, steps) in PEERS.items():
        python = next((p for p in pythons if has(p, module)), None)
        if not python:
            print(f"{name:<42}not run: no Python that was given has it")
            continue
        try:
            theirs = dict.fromkeys(SIZES, 0.0)
            for n in SIZES:
                for _ in range(TIMES):
                    ours[n] = max(ours[n], rate(sys.executable, OURS, MANY, n))
                    theirs[n] = max(theirs[n], rate(python, code, steps, n))
        except RuntimeError as error:
            print(f"{name:<42}not run: {error}")
            continue
        print(f"{name:<42}" + "".join(f"{theirs[n]:>14,.0f}{ours[n] / theirs[n]:>8,.1f}" for n in SIZES), flush=True)
    print(f"{'this model, two missions':<42}" + "".join(f"{ours[n]:>14,.0f}{1:>8}" for n in SIZES))


if __name__ == "__main__":
    main([sys.executable, *sys.argv[1:]])
