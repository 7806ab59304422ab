/**
 * Gives the changelog's unreleased section the version and the day: npm runs it within `npm version` (docs/releasing.md), after it has
 * written the version into package.json and before it commits. Without anything to release it fails, and so does `npm version`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const version = process.env.npm_package_version;
const changelog = readFileSync('CHANGELOG.md', 'utf8');
const [, heading, changes] = changelog.match(/^(## [^\n]*\(unreleased\)\n)(.*)/ms) ?? [];
if (!heading || changes.split(/^## /m)[0].trim() === '') {
  console.error('CHANGELOG.md has no section "(unreleased)" with changes.');
  process.exit(1);
}
const day = new Date().toISOString().slice(0, 10);
writeFileSync('CHANGELOG.md', changelog.replace(heading, `## ${version} (${day})\n`));
