/** j: Hive's socket libraries, alone and below Hive, next to plain `ws`. Ratios only: what they cost above it, or save. */
import { chooseSockets } from '../../dist/web/sockets/choice.js';
import { connects } from './connects.mjs';
import { echo } from './echo.mjs';
import { fanOut } from './fan-out.mjs';

/** Those that can be loaded here. */
const libraries = ['20.30', '20.57', 'node'].filter((name) => {
  try {
    return chooseSockets({ forced: name }).name === name;
  } catch (error) {
    if (error.code === 'sockets_unavailable') return false;
    throw error;
  }
});

function beside(scenario, name, title) {
  return {
    name,
    letter: 'j',
    title,
    unit: scenario.unit,
    contestants: ['ws', ...libraries.map((each) => `sockets:${each}`), ...libraries.map((each) => `hive:${each}`)],
    quick: ['ws', 'sockets:node'],
    // 1 / 1.5: it may use half as much again.
    targets: [{ of: 'sockets:node', than: 'ws', atLeast: 0.67 }],
    run: (measurement) => {
      measurement.settings = { sockets: measurement.variant };
      return scenario.run(measurement);
    },
  };
}

export const socketLibraries = [
  beside(echo, 'sockets-echo', 'Socket libraries: echo'),
  beside(fanOut(1000), 'sockets-fan-out', 'Socket libraries: fan-out to 1,000 subscribers'),
  beside(connects, 'sockets-connects', 'Socket libraries: connects'),
];
