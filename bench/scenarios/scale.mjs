/** i: what an operation costs with few and with many clients. Every client takes part all the time. */
import { echo } from './echo.mjs';
import { fanOut } from './fan-out.mjs';

const sizes = [100, 1000, 10_000];
const names = ['uws', 'socketio-uws', 'hive'];
const contestants = names.flatMap((name) => sizes.map((size) => `${name}:${size}`));

function scaled(scenario, name, title) {
  return {
    name,
    letter: 'i',
    title,
    unit: scenario.unit,
    contestants,
    quick: ['hive:100', 'hive:10000'],
    ratios: false,
    targets: names.map((entry) => ({ flat: sizes.map((size) => `${entry}:${size}`), within: 0.2 })),
    run: (measurement) => scenario.run(measurement, { clients: Number(measurement.variant) }),
  };
}

export const scaling = [
  scaled(echo, 'scale-echo', 'Echo with 100, 1,000 and 10,000 clients'),
  scaled(fanOut(0), 'scale-fan-out', 'Fan-out to 100, 1,000 and 10,000 subscribers'),
];
