export interface Random {
  /** 0 to limit - 1. */
  below(limit: number): number;
}
export interface Material {
  texts: readonly Uint8Array[];
  end: string;
  words: readonly string[];
  reshape?(bytes: Uint8Array, random: Random): Uint8Array;
}
export const LOG_WORDS: readonly string[];
export function numbers(seed: number, index: number): Random;
export function mutated(material: Material, seed: number, index: number): Uint8Array;
