import { useEffect } from "preact/hooks";

import { navigate, route } from "../router.js";
import { track } from "../tracker.js";
import { Empty } from "./empty.js";
import { ProductGrid } from "./product-grid.js";
import { searchProducts } from "./products.js";

export function SearchForm() {
  const at = route.value;
  return (
    <form
      role="search"
      class="search"
      onSubmit={(event) => {
        event.preventDefault();
        const typed = new FormData(event.currentTarget).get("q");
        const query = typeof typed === "string" ? typed.trim() : "";
        if (query) navigate(`/search?q=${encodeURIComponent(query)}`);
      }}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zm5-1.5L20 20" />
      </svg>
      <input
        type="search"
        name="q"
        aria-label="Search kites"
        placeholder="Search kites"
        maxLength={120}
        defaultValue={at.page === "search" ? at.query : ""}
      />
    </form>
  );
}

export function SearchResults({ query }: { query: string }) {
  const products = searchProducts(query);
  const results = products.length;
  useEffect(() => {
    if (query) void track("searched", { query, results });
  }, [query, results]);

  if (results > 0) return <ProductGrid isPage title={`${results} for “${query}”`} products={products} />;
  return (
    <Empty title={`Nothing for “${query}”`} action="See all kites" href="/">
      Try “delta”, “beach” or “line”.
    </Empty>
  );
}
