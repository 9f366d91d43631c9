import { Link } from "../router.js";
import { addToBag, saved, toggleSaved } from "./basket.js";
import { KitePicture } from "./kite-art.js";
import { formatPrice, type Product } from "./products.js";

interface ProductGridProps {
  title: string;
  products: readonly Product[];
  /** The grid is all that the page shows, so its title is the page's title. */
  isPage?: boolean;
}
export function ProductGrid({ title, products, isPage }: ProductGridProps) {
  const Title = isPage ? "h1" : "h2";
  return (
    <section class="shelf" aria-labelledby="shelf-title">
      <Title id="shelf-title">{title}</Title>
      <ul class="grid">
        {products.map((product) => (
          <li key={product.sku} class="card">
            <Link href={`/kites/${product.slug}`} class="card-link">
              <KitePicture art={product.art} />
              <span class="card-name">{product.name}</span>
              <span class="card-tagline">{product.tagline}</span>
            </Link>
            <HeartButton product={product} />
            <p class="card-foot">
              <span class="price">{formatPrice(product.price)}</span>
              <span class="wind">{product.wind}</span>
              <button
                type="button"
                class="button quiet small"
                aria-label={`Add ${product.name} to the bag`}
                onClick={() => addToBag(product)}
              >
                Add
              </button>
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function HeartButton({ product }: { product: Product }) {
  return (
    <button
      type="button"
      class="heart"
      aria-pressed={saved.value.includes(product.sku)}
      aria-label={`Save ${product.name}`}
      onClick={() => toggleSaved(product)}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 20.5 4.2 12.9a5 5 0 0 1 7.1-7.1l.7.7.7-.7a5 5 0 0 1 7.1 7.1z" />
      </svg>
    </button>
  );
}
