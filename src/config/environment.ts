/** `${NAME}` inside the strings of a configuration is replaced from the environment; `$${` stands for a literal `${`. */
import { pointerTo } from './json.ts';

export interface Expansion {
  readonly value: unknown;
  /** JSON pointers of the strings that were changed → what was put in. They may be secrets. */
  readonly inserted: ReadonlyMap<string, readonly string[]>;
  readonly findings: readonly { readonly pointer: string; readonly reason: string }[];
}

const reference = /\$(\$?)\{([^}]*)(\}?)/g;
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Works on all strings below `root`, in place; keys are left alone, inserted text is not looked at again. */
export function expandEnvironment(root: unknown, env: NodeJS.ProcessEnv): Expansion {
  const inserted = new Map<string, string[]>();
  const findings: { pointer: string; reason: string }[] = [];

  function expand(value: unknown, pointer: string): unknown {
    if (typeof value === 'string') return value.includes('${') ? replace(value, pointer) : value;
    if (typeof value !== 'object' || value === null) return value;
    for (const [key, member] of Object.entries(value)) {
      if (typeof member === 'number' || typeof member === 'boolean') continue;
      const expanded = expand(member, pointerTo(pointer, key));
      // own property: also right for a key named "__proto__"
      if (expanded !== member) Object.defineProperty(value, key, { value: expanded });
    }
    return value;
  }

  function replace(text: string, pointer: string): string {
    return text.replace(reference, (whole, dollar: string, name: string, end: string) => {
      if (dollar !== '') return whole.slice(1);
      if (end === '' || !variableName.test(name)) {
        const reason = end === '' ? `"\${" without "}"` : `\${${name}} names no environment variable`;
        findings.push({ pointer, reason: `${reason}; a literal "\${" is written "$\${"` });
      } else {
        const found = env[name];
        if (found !== undefined) {
          inserted.set(pointer, [...(inserted.get(pointer) ?? []), found]);
          return found;
        }
        findings.push({ pointer, reason: `the environment variable ${name} is not set` });
      }
      return whole;
    });
  }

  return { value: expand(root, ''), inserted, findings };
}
