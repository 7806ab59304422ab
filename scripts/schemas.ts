/**
 * Generates what is written down from the section schemas: `config/schema/*.json` for editors and the reference tables of
 * `docs/configuration.md`. `npx tsx scripts/schemas.ts` writes them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { maxTimeMs } from '../src/config/schema/fields.ts';
import { sections } from '../src/config/schema/sections.ts';

/** The parts of JSON Schema that the section schemas use. */
interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  minItems?: number;
}

const draft = 'http://json-schema.org/draft-07/schema#';
const root = fileURLToPath(new URL('..', import.meta.url));
const begin = '<!-- generated from src/config/schema: begin -->';
const end = '<!-- generated: end -->';

/** Path (from the repository's root) → content, of every generated file. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  const properties: Record<string, unknown> = { $schema: { type: 'string' } };
  const required: string[] = [];
  for (const [name, schema] of Object.entries(sections) as [string, Schema][]) {
    const published = publish(schema);
    if (published.required?.length) required.push(name);
    if (published.properties) published.properties = { $schema: { type: 'string' }, ...published.properties };
    files.set(`config/schema/${name}.json`, toJson({ $schema: draft, title: `Hive: section ${name}`, ...published }));
    const description = `${schema.description} Or the name of a file with it, relative to this one.`;
    properties[name] = { anyOf: [{ type: 'string', minLength: 1 }, { $ref: `${name}.json` }], description };
  }
  files.set(
    'config/schema/config.json',
    toJson({
      $schema: draft,
      title: 'Hive: configuration',
      type: 'object',
      required,
      properties,
      additionalProperties: false,
    }),
  );
  const guide = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
  const [before, rest] = guide.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/configuration.md lacks "${begin}" … "${end}"`);
  files.set('docs/configuration.md', `${before}${begin}\n\n${referenceTables()}\n${end}${after}`);
  return files;
}

/** Without defaulted properties in `required`: the loader fills those in first, an editor must not ask for them. */
function publish(schema: Schema): Schema {
  const copy: Schema = { ...schema };
  if (schema.properties) {
    const properties = Object.entries(schema.properties);
    copy.properties = Object.fromEntries(properties.map(([key, property]) => [key, publish(property)]));
    copy.required = (schema.required ?? []).filter((key) => schema.properties?.[key]?.default === undefined);
  }
  if (schema.items) copy.items = publish(schema.items);
  if (typeof schema.additionalProperties === 'object') copy.additionalProperties = publish(schema.additionalProperties);
  return copy;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function referenceTables(): string {
  return (Object.entries(sections) as [string, Schema][])
    .map(([name, schema]) => {
      const head = `### ${name}\n\n${schema.description}\n`;
      const body = rows('', schema);
      return body.length === 0 ? head : `${head}\n${table([['key', 'value', 'default', 'meaning'], ...body])}\n`;
    })
    .join('\n');
}

/** Columns are padded, as the formatter wants it. */
function table(lines: string[][]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => [...line[column]!].length)));
  const padded = lines.map((line) => line.map((cell, column) => cell + ' '.repeat(widths[column]! - [...cell].length)));
  padded.splice(
    1,
    0,
    widths.map((width) => '-'.repeat(width)),
  );
  return padded.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** One table row per property, nested ones below their parent; `*` stands for any key, `[]` for an element. */
function rows(path: string, schema: Schema): string[][] {
  if (typeof schema.additionalProperties === 'object') return rowsBelow(`${path}.*`, schema.additionalProperties);
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const own = path === '' ? key : `${path}.${key}`;
    const isRequired = schema.required?.includes(key) ?? false;
    return [row(own, property, isRequired), ...rowsBelow(own, property)];
  });
}

function rowsBelow(path: string, schema: Schema): string[][] {
  if (schema.items) return rows(`${path}[]`, schema.items);
  return rows(path, schema);
}

function row(path: string, schema: Schema, isRequired: boolean): string[] {
  const fallback = schema.default === undefined ? (isRequired ? 'required' : '–') : code(schema.default);
  return [`\`${path}\``, form(schema), fallback, (schema.description ?? '').replaceAll('|', '\\|')];
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

function form(schema: Schema): string {
  if (schema.enum) return schema.enum.map(code).join(', ');
  if (schema.anyOf) return schema.anyOf.map(form).join(' or ');
  if (schema.type === 'array') {
    const filled = schema.minItems ? 'non-empty ' : '';
    return `${filled}array of ${form(schema.items ?? {})}`;
  }
  if (schema.type === 'integer') return `integer ${range(schema.minimum, schema.maximum)}`.trim();
  if (schema.type === 'string')
    return (schema.minLength ?? 0) > 1 ? `string, ≥ ${schema.minLength} characters` : 'string';
  return schema.type ?? 'any';
}

function range(minimum: number | undefined, maximum: number | undefined): string {
  if (maximum === maxTimeMs) return range(minimum, undefined);
  if (minimum === undefined) return maximum === undefined ? '' : `≤ ${maximum}`;
  return maximum === undefined ? `≥ ${minimum}` : `${minimum}..${maximum}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(root, 'config/schema'), { recursive: true });
  for (const [path, content] of generatedFiles()) writeFileSync(join(root, path), content);
}
