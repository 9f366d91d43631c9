/** What the scenarios need of a browser, whichever it is and however it is driven. */

export interface Tab {
  /** Runs a function in the page, as its text: it sees the page's globals and its arguments, and answers JSON. */
  run<Args extends unknown[], Result>(
    work: (...args: Args) => Result | Promise<Result>,
    ...args: Args
  ): Promise<Result>;
  /** Runs a function that ends the page, such as one that calls `window.close()`, and waits until the tab is gone. */
  runLast<Args extends unknown[]>(work: (...args: Args) => unknown, ...args: Args): Promise<void>;
  /** Closes the tab, from outside of the page where the engine's driver can do that. */
  close(): Promise<void>;
}

export interface Browser {
  /** Another tab; the browser itself keeps one, so that it outlives the last of these. */
  open(url: string): Promise<Tab>;
  /** `SIGKILL`, and waits until the profile can be used again. */
  kill(): Promise<void>;
}

/** A browser profile that outlives its browser. */
export interface Profile {
  /** What the site's pages must load, where they are steered from within. */
  readonly script?: string;
  browse(): Promise<Browser>;
  /** Ends the browser and deletes the profile. */
  remove(): Promise<void>;
}

export interface Engine {
  readonly name: string;
  /** What to install, where the engine is not on this machine. */
  readonly missing: string | undefined;
  newProfile(): Promise<Profile>;
}
