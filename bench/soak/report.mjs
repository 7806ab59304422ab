/** What a soak has shown: a table, and curves over the whole time (SVG). */

const mebi = 1024 * 1024;
const columns = [
  ['minutes', (look) => (look.atMs / 60_000).toFixed(1)],
  ['clients', (look) => look.clients],
  ['actors', (look) => look.actors],
  ['channels', (look) => look.channels],
  ['memory, MiB', (look) => Math.round(look.rss / mebi)],
  ['heap, MiB', (look) => Math.round(look.heap / mebi)],
  ['event loop late by, median, ms', (look) => look.delayP50.toFixed(1)],
  ['at most', (look) => look.delayMax.toFixed(1)],
];
const rows = 20;

/** Some of the looks, evenly spread, the first and the last among them. */
export function table(looks) {
  const chosen = looks.length <= rows ? looks : Array.from({ length: rows }, (_, i) => looks[at(i, looks.length)]);
  const lines = chosen.map((look) => `| ${columns.map(([, read]) => read(look)).join(' | ')} |`);
  const head = columns.map(([title]) => title).join(' | ');
  return [`| ${head} |`, `|${' ---: |'.repeat(columns.length)}`, ...lines].join('\n');
}

const at = (row, length) => Math.round((row * (length - 1)) / (rows - 1));

const panels = [
  { title: 'memory, MiB', curves: { 'whole process': (look) => look.rss / mebi, heap: (look) => look.heap / mebi } },
  { title: 'event loop late by, ms', curves: { median: (look) => look.delayP50, 'at most': (look) => look.delayMax } },
  {
    title: 'how many',
    curves: { actors: (look) => look.actors, clients: (look) => look.clients, channels: (look) => look.channels },
  },
];
/** In the order of the curves of each panel. */
const colours = ['#1f6feb', '#d1242f', '#1a7f37'];
const [width, height, left, top, gap] = [860, 170, 60, 34, 56];

/** One panel below the other, all over the same time. */
export function plot(looks) {
  const endMs = looks.at(-1).atMs;
  const drawn = panels.map((panel, i) => draw(panel, top + i * (height + gap), looks, endMs));
  const whole = [width + left + 20, top + panels.length * (height + gap)];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${whole.join(' ')}" font-family="sans-serif" font-size="12">
<title>Memory, event loop and numbers of actors during a soak</title>
<rect width="100%" height="100%" fill="#fff"/>
${drawn.join('\n')}
</svg>
`;
}

function draw({ title, curves }, y, looks, endMs) {
  const most = Math.max(1, ...Object.values(curves).flatMap((read) => looks.map(read)));
  const place = (look, value) =>
    `${(left + (look.atMs / endMs) * width).toFixed(1)},${(y + height - (value / most) * height).toFixed(1)}`;
  const lines = Object.entries(curves).map(([name, read], i) => {
    const points = looks.map((look) => place(look, read(look))).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${colours[i]}"/>
<text x="${left + 200 + i * 130}" y="${y - 8}" fill="${colours[i]}">${name}</text>`;
  });
  return `<rect x="${left}" y="${y}" width="${width}" height="${height}" fill="none" stroke="#ccc"/>
<text x="${left}" y="${y - 8}" font-weight="bold">${title}</text>
<text x="${left - 6}" y="${y + 10}" text-anchor="end">${most.toFixed(most < 10 ? 1 : 0)}</text>
<text x="${left - 6}" y="${y + height}" text-anchor="end">0</text>
<text x="${left + width}" y="${y + height + 16}" text-anchor="end">${(endMs / 60_000).toFixed(1)} min</text>
${lines.join('\n')}`;
}
