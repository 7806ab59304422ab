/** What the command line asks for: scenarios by name, start of a name, or letter; contestants by name, with or without a variant. */

export class Selection {
  /** In the order of the results. */
  scenarios;
  #entries;
  #quick;

  /**
   * @param quick whether a scenario's quick choice of contestants is enough, where it has one
   * @throws Error with the names there are, if one is unknown
   */
  constructor(names, scenarios, contestants, quick) {
    this.#quick = quick;
    const named = (scenario, name) => (name.length === 1 ? scenario.letter === name : scenario.name.startsWith(name));
    const isScenario = (name) => scenarios.some((scenario) => named(scenario, name));
    // `sockets` is both: it means the scenarios, `sockets:node` the contestant.
    const isContestant = (name) => name.split(':')[0] in contestants && !isScenario(name);
    for (const name of names) {
      if (isContestant(name) || isScenario(name)) continue;
      const known = [...scenarios.map((scenario) => scenario.name), ...Object.keys(contestants)].join(', ');
      throw new Error(`there is neither a scenario nor a contestant ${name}; there are ${known}`);
    }
    const wanted = scenarios.filter((scenario) => names.some((name) => named(scenario, name)));
    this.scenarios = wanted.length > 0 ? wanted : scenarios;
    this.#entries = names.filter(isContestant);
  }

  /** Whether contestants were named. */
  get isPartial() {
    return this.#entries.length > 0;
  }

  /** @param byName those that take part only if they are named */
  entries({ contestants, quick, byName = [] }) {
    const all = (this.#quick && quick) || contestants;
    if (this.#entries.length === 0) return all;
    return [...all, ...byName].filter((entry) =>
      this.#entries.some((name) => name === entry || name === entry.split(':')[0]),
    );
  }
}
