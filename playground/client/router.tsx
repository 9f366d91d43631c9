import { effect, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

import { productBySlug, type Product } from "./shop/products.js";

export type Route =
  | { page: "home" }
  | { page: "product"; product: Product }
  | { page: "search"; query: string }
  | { page: "saved" }
  | { page: "bag" }
  | { page: "details" }
  | { page: "missing" };

function readRoute(): Route {
  const { pathname, searchParams } = new URL(location.href);
  const product = productBySlug(/^\/kites\/([^/]+)$/.exec(pathname)?.[1] ?? "");
  if (product) return { page: "product", product };
  if (pathname === "/") return { page: "home" };
  if (pathname === "/search") return { page: "search", query: searchParams.get("q") ?? "" };
  if (pathname === "/saved") return { page: "saved" };
  if (pathname === "/bag") return { page: "bag" };
  if (pathname === "/details") return { page: "details" };
  return { page: "missing" };
}

export const route = signal(readRoute());
addEventListener("popstate", () => (route.value = readRoute()));

const TITLES = {
  home: "Kites",
  saved: "Saved",
  bag: "Your bag",
  details: "Your details",
  missing: "Not here",
};
function titleOf(at: Route): string {
  if (at.page === "product") return at.product.name;
  if (at.page === "search") return at.query ? `“${at.query}”` : "Search";
  return TITLES[at.page];
}
effect(() => {
  document.title = `${titleOf(route.value)} · Updraft`;
});

/** The id of the current page's element. Focus moves there after a navigation, as it would on a new page. */
export const MAIN_ID = "shop-main";

export function navigate(href: string): void {
  if (href !== location.pathname + location.search) history.pushState(null, "", href);
  route.value = readRoute();
  document.getElementById(MAIN_ID)?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

interface LinkProps {
  href: string;
  class?: string;
  label?: string;
  children: ComponentChildren;
}
export function Link({ href, label, children, ...rest }: LinkProps) {
  const here = href === location.pathname;
  return (
    <a
      {...rest}
      href={href}
      aria-label={label}
      aria-current={here ? "page" : undefined}
      onClick={(event) => {
        // The browser handles everything but a plain click: a new tab, a download.
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(href);
      }}
    >
      {children}
    </a>
  );
}
