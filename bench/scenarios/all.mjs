/** All scenarios, in the order of the results. */
import { connects } from './connects.mjs';
import { echo } from './echo.mjs';
import { fanOut } from './fan-out.mjs';
import { memory } from './memory.mjs';

export const scenarios = [memory, fanOut(1000), fanOut(5000), echo, connects];
