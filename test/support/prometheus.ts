/** Prometheus' text format 0.0.4, read strictly: whatever it does not allow is an error. */
import assert from 'node:assert/strict';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: Sample[];
}

const nameSource = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;
const samplePattern = new RegExp(`^(${nameSource})(?:\\{(.*)\\})? (\\S+)$`);

function labelsIn(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  labelPattern.lastIndex = 0;
  while (labelPattern.lastIndex < text.length) {
    const from = labelPattern.lastIndex;
    const found = labelPattern.exec(text);
    assert.ok(found, `labels from ${text.slice(from)}`);
    const [, name = '', value = ''] = found;
    assert.ok(!(name in labels), `label ${name} once`);
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  return labels;
}

/** The families by name; throws for text that is not well-formed, or histograms and counters that are none. */
export function parsePrometheus(text: string): Map<string, Family> {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let name = '';
  let help: string | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, keyword, about = '', rest = ''] = new RegExp(`^# (HELP|TYPE) (${nameSource}) (.+)$`).exec(line) ?? [];
    if (keyword === 'HELP') {
      assert.ok(!families.has(about), `${about} comes once`);
      [name, help] = [about, rest];
    } else if (keyword === 'TYPE') {
      assert.ok(about === name && help !== undefined, `the help of ${about} comes before its type`);
      assert.match(rest, /^(?:counter|gauge|histogram)$/);
      families.set(name, { help, type: rest as Family['type'], samples: [] });
    } else {
      const [, sample = '', labels = '', number = ''] = samplePattern.exec(line) ?? [];
      const family = families.get(name);
      assert.ok(family && sample !== '', `a sample in a family: ${line}`);
      const suffix = sample.slice(name.length);
      const allowed = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      assert.ok(sample.startsWith(name) && allowed.includes(suffix), `${sample} belongs to ${name}`);
      const value = number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number);
      assert.ok(!Number.isNaN(value), `a number: ${line}`);
      const parsed = labelsIn(labels);
      const series = `${sample} ${JSON.stringify(Object.entries(parsed).sort())}`;
      assert.ok(!seen.has(series), `${series} comes once`);
      seen.add(series);
      family.samples.push({ name: sample, labels: parsed, value });
    }
  }
  for (const [family, content] of families) check(family, content);
  return families;
}

function check(name: string, { type, samples }: Family): void {
  assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
  if (type === 'counter') for (const { value } of samples) assert.ok(value >= 0, `${name} is not negative`);
  if (type !== 'histogram') return;
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = withoutBound(sample);
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const [key, all] of series) {
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => (labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le)));
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY, key);
    for (let at = 1; at < buckets.length; at += 1) {
      assert.ok(bounds[at]! > bounds[at - 1]!, `the bounds of ${key} grow`);
      assert.ok(buckets[at]!.value >= buckets[at - 1]!.value, `the buckets of ${key} are cumulative`);
    }
    const last = (suffix: string) => all.filter((sample) => sample.name === `${name}${suffix}`);
    assert.equal(last('_count').length, 1, key);
    assert.equal(last('_sum').length, 1, key);
    assert.equal(last('_count')[0]!.value, buckets.at(-1)!.value, key);
  }
}

function withoutBound({ labels }: Sample): string {
  const { le: _, ...rest } = labels;
  return JSON.stringify(Object.entries(rest).sort());
}
