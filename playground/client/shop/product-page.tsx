import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";

import { Link } from "../router.js";
import { state, track } from "../tracker.js";
import { addToBag, addToWishlist } from "./basket.js";
import { KitePicture } from "./kite-art.js";
import { HeartButton, ProductGrid } from "./product-grid.js";
import { formatPrice, PRODUCTS, type Product } from "./products.js";

export function ProductPage({ product }: { product: Product }) {
  const note = useSignal("");
  useEffect(() => {
    const { sku, name, price } = product;
    void track("productViewed", { sku, name, price });
  }, [product]);

  const wish = async () => {
    const outcome = await addToWishlist(product);
    note.value = outcome.success ? `${product.name} is on the wish list.` : outcome.error.message;
  };

  return (
    <article class="product">
      <p class="crumb">
        <Link href="/">All kites and line</Link>
      </p>
      <div class="product-picture">
        <KitePicture art={product.art} />
        <HeartButton product={product} />
      </div>
      <div class="product-text">
        <p class="wind">{product.wind}</p>
        <h1>{product.name}</h1>
        <p class="price">{formatPrice(product.price)}</p>
        <p>{product.about}</p>
        <p class="actions">
          <button type="button" class="button accent" onClick={() => addToBag(product)}>
            Add to bag
          </button>
          <button type="button" class="button quiet" onClick={() => void wish()}>
            Add to wish list
          </button>
        </p>
        <p class="note" role="status">
          {note.value ||
            (state.value?.profile?.kind === "lead"
              ? ""
              : "The wish list belongs to leads: start a chat first.")}
        </p>
        <dl class="facts">
          {product.details.map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </div>
      <ProductGrid
        title="Flies well with"
        products={PRODUCTS.filter((other) => other !== product).slice(-3)}
      />
    </article>
  );
}
