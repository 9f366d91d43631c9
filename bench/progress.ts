/** Shows the benchmark's progress in one line of a terminal. Without a terminal, prints one line for each step. */
export class Progress {
  readonly #startedAt = performance.now();
  #sections: number;
  #sectionsDone = 0;
  #steps = 1;
  #stepsBegun = 0;

  constructor(sections: number) {
    this.#sections = sections;
  }

  /** Announces how many steps the next section has. */
  steps(total: number): void {
    this.#steps = Math.max(1, total);
    this.#stepsBegun = 0;
  }

  step(section: string, what: string): void {
    this.#stepsBegun++;
    const inSection = Math.min(1, (this.#stepsBegun - 1) / this.#steps);
    this.#write((this.#sectionsDone + inSection) / this.#sections, `${section}: ${what}`);
  }

  sectionDone(section: string): void {
    this.#sectionsDone++;
    this.#steps = 1;
    this.#stepsBegun = 0;
    this.#write(this.#sectionsDone / this.#sections, `${section}: done`);
  }

  end(): void {
    if (process.stdout.isTTY) process.stdout.write("\n");
  }

  #write(share: number, text: string): void {
    const { isTTY, columns } = process.stdout;
    const seconds = Math.round((performance.now() - this.#startedAt) / 1_000);
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    if (!isTTY) return console.log(`${percent} ${time} ${text}`);
    const filled = "=".repeat(Math.round(share * 20)).padEnd(20);
    const line = `[${filled}]${percent} ${time} ${text}`;
    process.stdout.write(`\r${line.slice(0, columns - 1).padEnd(columns - 1)}`);
  }
}
