import { useSignal } from "@preact/signals";

import { Link } from "../router.js";
import { bagLines, bagTotal, placeOrder, removeFromBag } from "./basket.js";
import { Empty } from "./empty.js";
import { KitePicture } from "./kite-art.js";
import { formatPrice } from "./products.js";

export function Bag() {
  const ordered = useSignal(false);
  if (ordered.value) {
    return (
      <Empty title="Thank you" action="See all kites" href="/">
        That would have been an order. <code>orderPlaced</code> was tracked, with its lines as a list.
      </Empty>
    );
  }
  if (bagLines.value.length === 0) return <Empty title="Your bag is empty" action="See all kites" href="/" />;
  return (
    <section class="bag">
      <h1>Your bag</h1>
      <ul>
        {bagLines.value.map(({ product, quantity }) => (
          <li key={product.sku}>
            <KitePicture art={product.art} />
            <Link href={`/kites/${product.slug}`}>{product.name}</Link>
            <span class="quantity">{quantity} ×</span>
            <span class="price">{formatPrice(product.price)}</span>
            <button
              type="button"
              class="button quiet small"
              aria-label={`Remove ${product.name}`}
              onClick={() => removeFromBag(product.sku)}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
      <p class="bag-total">
        <span>Total</span>
        <strong class="price">{formatPrice(bagTotal.value)}</strong>
      </p>
      <button
        type="button"
        class="button"
        onClick={() => {
          placeOrder();
          ordered.value = true;
        }}
      >
        Place the order
      </button>
    </section>
  );
}
