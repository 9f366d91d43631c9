/** A seeded source of chance (mulberry32): the same seed, the same history. */
export type Random = () => number;

export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

export const integerBelow = (random: Random, limit: number): number => Math.floor(random() * limit);

export const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[integerBelow(random, items.length)] as Item;
