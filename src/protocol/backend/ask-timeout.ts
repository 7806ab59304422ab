/** How long an answer of a client is waited for, ms. */
export const askTimeoutMs = 5000;
export const maxAskTimeoutMs = 60_000;

export function isAskTimeout(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= maxAskTimeoutMs;
}
