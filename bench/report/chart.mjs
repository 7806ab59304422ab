/** A bar chart as SVG. */
import { readable } from '../lib/statistics.mjs';

const [rowHeight, labelWidth, barWidth, figureWidth] = [28, 250, 400, 100];

/** @param rows `{ title, median, highlighted }` */
export function barChart(title, rows) {
  const most = Math.max(...rows.map(({ median }) => median));
  const width = labelWidth + barWidth + figureWidth;
  const height = (rows.length + 1) * rowHeight + 8;
  const bars = rows.map(({ title: label, median, highlighted }, index) => {
    const top = (index + 1) * rowHeight;
    const length = Math.max(1, Math.round((barWidth * median) / most));
    return [
      `  <text x="${labelWidth - 8}" y="${top + 18}" text-anchor="end">${escaped(label)}</text>`,
      `  <rect x="${labelWidth}" y="${top + 4}" width="${length}" height="${rowHeight - 8}" fill="${highlighted ? '#d97706' : '#64748b'}"/>`,
      `  <text x="${labelWidth + length + 6}" y="${top + 18}">${readable(median)}</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">
  <title>${escaped(title)}</title>
  <rect width="${width}" height="${height}" fill="#ffffff"/>
  <text x="8" y="19" font-weight="bold">${escaped(title)}</text>
${bars.join('\n')}
</svg>
`;
}

const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text) => text.replace(/[&<>]/g, (sign) => entities[sign]);
