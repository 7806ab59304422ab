/** Schema of events for clients, where a configuration contains one. */
import { type Static, Type } from 'typebox';

export const externalEventArg = Type.Object(
  { name: Type.String({ minLength: 1 }), args: Type.Optional(Type.Unknown()) },
  { additionalProperties: false, description: 'An event for the client: `{"name": …, "args": […]}`.' },
);

export type ExternalEvent = Static<typeof externalEventArg>;
