/**
 * The vocabulary of the section schemas: one schema gives the TypeScript type, the validator and the JSON Schema file that
 * editors use.
 *
 * A property with a `default` is *not* `Type.Optional`: the validator fills defaults in before it looks for missing
 * properties, so its type is never undefined. The published JSON Schema leaves such properties out of `required`.
 */
import { type Static, type TProperties, type TSchema, Type } from 'typebox';

/** The longest time a timer of the platform can wait; 24.8 days. */
export const maxTimeMs = 2_147_483_647;

/** An object that accepts no other properties: a misspelt key must not pass for an absent one. */
export function strictObject<Properties extends TProperties>(
  properties: Properties,
  options: { description?: string; default?: object } = {},
) {
  return Type.Object(properties, { ...options, additionalProperties: false });
}

/** An object with freely chosen keys. (`Type.Record` would let keys that contain a line break through unchecked.) */
export function mapOf<Schema extends TSchema>(
  values: Schema,
  description: string,
  options: { default?: Record<string, never> } = {},
) {
  return Type.Unsafe<Record<string, Static<Schema>>>({
    type: 'object',
    ...options,
    additionalProperties: values,
    description,
  });
}

/** A duration in milliseconds. */
export function milliseconds(description: string, options: { default?: number; minimum: number }) {
  return Type.Integer({ maximum: maxTimeMs, ...options, description: `${description} Milliseconds.` });
}

/** A TCP port to listen on; 0 lets the system choose. */
export function port(description: string, options: { default?: number } = {}) {
  return Type.Integer({ minimum: 0, maximum: 65_535, ...options, description });
}

/** An IP address or host name to listen on. */
export function host(defaultHost: string) {
  return Type.String({
    minLength: 1,
    default: defaultHost,
    description: 'Address to listen on: an IP address of this machine; `0.0.0.0` = all IPv4 addresses.',
  });
}

export const acceptors = Type.Optional(
  Type.Integer({ minimum: 1, description: 'Accepted from 2014 configurations; has no effect here.' }),
);

/** The key that requests to the HTTP API or the monitor must carry. */
export function accessKey(description: string) {
  return Type.String({ minLength: 8, description });
}

export function tls(what: string) {
  return Type.Optional(
    strictObject(
      {
        cert_file: Type.String({
          minLength: 1,
          description: 'PEM file with the certificate chain. Relative to the directory of the main configuration file.',
        }),
        key_file: Type.String({
          minLength: 1,
          description: 'PEM file with the private key. Relative to the directory of the main configuration file.',
        }),
        passphrase: Type.Optional(Type.String({ description: 'Passphrase of the private key.' })),
      },
      { description: `Serve ${what} over TLS. Absent: plain TCP.` },
    ),
  );
}
