/** All scenarios, in the order of the results. */
import { adoption } from './adoption.mjs';
import { connects } from './connects.mjs';
import { deploy } from './deploy.mjs';
import { durables } from './durable.mjs';
import { echo } from './echo.mjs';
import { fanOut } from './fan-out.mjs';
import { hook } from './hook.mjs';
import { jitters } from './jitter.mjs';
import { memory } from './memory.mjs';
import { publishes, publishesToTwo } from './publishes.mjs';
import { relay } from './relay.mjs';
import { scaling } from './scale.mjs';
import { socketLibraries } from './sockets.mjs';
import { twoNodes } from './two-nodes.mjs';

export const scenarios = [
  memory,
  fanOut(1000),
  fanOut(5000),
  echo,
  connects,
  publishes,
  publishesToTwo,
  twoNodes,
  hook,
  relay,
  ...scaling,
  ...socketLibraries,
  ...jitters,
  ...durables,
  deploy,
  adoption,
];
