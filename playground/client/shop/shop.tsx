import { MAIN_ID, route } from "../router.js";
import { Bag } from "./bag.js";
import { Details } from "./details.js";
import { Empty } from "./empty.js";
import { Hero } from "./hero.js";
import { ProductGrid } from "./product-grid.js";
import { ProductPage } from "./product-page.js";
import { PRODUCTS, productBySku } from "./products.js";
import { saved } from "./basket.js";
import { SearchResults } from "./search.js";
import { ShopHeader } from "./shop-header.js";

export function Shop() {
  return (
    <div class="shop">
      <ShopHeader />
      <div id={MAIN_ID} tabIndex={-1}>
        <CurrentPage />
      </div>
      <footer class="shop-footer">
        Updraft is made up, and so are its kites. The tracker, the Live Chat and the service behind them are
        real.
      </footer>
    </div>
  );
}

function CurrentPage() {
  const at = route.value;
  switch (at.page) {
    case "home":
      return (
        <>
          <Hero />
          <ProductGrid title="All kites and line" products={PRODUCTS} />
        </>
      );
    case "product":
      return <ProductPage key={at.product.sku} product={at.product} />;
    case "search":
      return <SearchResults query={at.query} />;
    case "saved":
      return <Saved />;
    case "bag":
      return <Bag />;
    case "details":
      return <Details />;
    case "missing":
      return <Empty title="There is no such page" action="See all kites" href="/" />;
  }
}

function Saved() {
  const products = saved.value.flatMap((sku) => productBySku(sku) ?? []);
  if (products.length > 0) return <ProductGrid isPage title="Saved" products={products} />;
  return (
    <Empty title="Nothing saved yet" action="See all kites" href="/">
      The heart on a kite keeps it here, and tracks <code>action</code>.
    </Empty>
  );
}
