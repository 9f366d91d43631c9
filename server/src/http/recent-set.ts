/** The values that were added or met last, so many at most. */
export class RecentSet {
  /** In the order in which they were last met. */
  readonly #values = new Set<string>();
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** Whether the value is there; it counts as met just now. */
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
