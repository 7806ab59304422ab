/** The honeycomb: each name has its cell, and a ping spreads from there. */
import { byId } from './shared/dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const SIDE = 40; // of a cell, in units of the picture
const COLUMNS = 18;
const ROWS = 15;
const REACH = 5; // rings of cells that a ping lights
const RING_MS = 80; // from one ring to the next
const GLOW_MS = 900; // a cell's glow
const MAX_RIPPLES = 24; // at once; more would only flicker
const still = matchMedia('(prefers-reduced-motion: reduce)');

const stepX = SIDE * Math.sqrt(3);
const stepY = SIDE * 1.5;
let ripples = 0;

function svg(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function corners(x, y) {
  return Array.from({ length: 6 }, (_, corner) => {
    const angle = (Math.PI / 180) * (60 * corner - 90);
    return `${(x + (SIDE - 2) * Math.cos(angle)).toFixed(1)},${(y + (SIDE - 2) * Math.sin(angle)).toFixed(1)}`;
  }).join(' ');
}

/** Odd rows are shifted by half a cell; `q` and `r` are the axial coordinates, in which distances are easy. */
const cells = Array.from({ length: ROWS * COLUMNS }, (_, index) => {
  const row = Math.floor(index / COLUMNS);
  const column = index % COLUMNS;
  const x = stepX * (column + (row % 2) / 2);
  const y = stepY * row - SIDE / 2;
  const points = corners(x, y);
  const shapes = [svg('polygon', { points, class: 'wax' }), svg('polygon', { points, class: 'glow' })];
  return { row, column, x, y, q: column - (row >> 1), r: row, shapes };
});
byId('comb').append(...cells.flatMap((cell) => cell.shapes));

/** Cells well inside the picture, whatever the window cuts off. */
const homes = cells.filter(({ row, column }) => row > 2 && row < ROWS - 5 && column > 3 && column < COLUMNS - 4);

function homeOf(name) {
  let sum = 7;
  for (const character of name) sum = (sum * 131 + character.codePointAt(0)) % 999_983;
  return homes[sum % homes.length];
}

function distance(one, other) {
  const q = one.q - other.q;
  const r = one.r - other.r;
  return (Math.abs(q) + Math.abs(r) + Math.abs(q + r)) / 2;
}

function label(name, home) {
  const text = svg('text', { x: home.x, y: home.y - SIDE - 8, class: 'whose' });
  text.textContent = name;
  byId('comb').append(text);
  text.animate([{ opacity: 1 }, { opacity: 1, offset: 0.6 }, { opacity: 0 }], 2500).finished.then(() => text.remove());
}

/** Lights the cell of this name, and the cells around it ring by ring. */
export function ripple(name, hue) {
  if (ripples >= MAX_RIPPLES) return;
  const home = homeOf(name);
  const reach = still.matches ? 0 : REACH;
  ripples += 1;
  label(name, home);
  let last;
  for (const cell of cells) {
    const ring = distance(cell, home);
    if (ring > reach) continue;
    const fill = `oklch(0.78 0.15 ${hue})`;
    const glow = cell.shapes[1].animate(
      [
        { fill, opacity: 0 },
        { fill, opacity: 1 - ring / (REACH + 1), offset: 0.2 },
        { fill, opacity: 0 },
      ],
      { duration: GLOW_MS, delay: ring * RING_MS },
    );
    if (ring === reach) last = glow;
  }
  last.finished.then(() => {
    ripples -= 1;
  });
}
