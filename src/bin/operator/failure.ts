/** Why a command could not do what it was told: what is wrong and where, for the operator's eyes. Never with a key in it. */
export class Failure extends Error {}
