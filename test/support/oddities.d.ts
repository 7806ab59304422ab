/** By name, what makes something odd. */
export const oddities: Record<string, () => unknown>;
