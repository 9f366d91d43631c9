/** A bounded set that evicts the least recently used value. */
export class RecentSet {
  /** In the order of their last use. */
  readonly #values = new Set<string>();
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** Whether the set has the value. Asking counts as a use. */
  has(value: string): boolean {
    const isThere = this.#values.delete(value);
    if (isThere) this.#values.add(value);
    return isThere;
  }

  add(value: string): void {
    this.#values.delete(value);
    this.#values.add(value);
    if (this.#values.size <= this.#size) return;
    for (const oldest of this.#values) {
      this.#values.delete(oldest);
      return;
    }
  }

  delete(value: string): void {
    this.#values.delete(value);
  }
}
