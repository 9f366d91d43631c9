import type { ComponentChildren } from "preact";

interface StationProps {
  id: string;
  title: string;
  /** To the right of the title. */
  aside?: ComponentChildren;
  children: ComponentChildren;
}
/** One stop on the kite line: a knot, a title, what is there. */
export function Station({ id, title, aside, children }: StationProps) {
  return (
    <section class={`station station-${id}`} aria-labelledby={`station-${id}`}>
      <div class="station-head">
        <h3 id={`station-${id}`}>{title}</h3>
        {aside && <div class="station-aside">{aside}</div>}
      </div>
      {children}
    </section>
  );
}
