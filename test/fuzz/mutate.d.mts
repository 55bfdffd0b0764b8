export function mutated(logs: readonly Uint8Array[], seed: number, index: number): Uint8Array;
