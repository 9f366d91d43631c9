import type { ComponentChildren } from "preact";

interface StationProps {
  id: string;
  title: string;
  /** Shown to the right of the title. */
  aside?: ComponentChildren;
  children: ComponentChildren;
}
/** One station of the inspector, on the line that connects them: a knot, a title and its content. */
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
