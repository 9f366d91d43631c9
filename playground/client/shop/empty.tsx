import type { ComponentChildren } from "preact";

import { navigate } from "../router.js";

interface EmptyProps {
  title: string;
  action: string;
  href: string;
  children?: ComponentChildren;
}
/** An empty page of the shop, which says what to do next. */
export function Empty({ title, action, href, children }: EmptyProps) {
  return (
    <section class="shop-empty">
      <h1>{title}</h1>
      {children && <p>{children}</p>}
      <button type="button" class="button" onClick={() => navigate(href)}>
        {action}
      </button>
    </section>
  );
}
