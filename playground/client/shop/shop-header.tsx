import { Link } from "../router.js";
import { bagCount, saved } from "./basket.js";
import { SearchForm } from "./search.js";
import { Account } from "../live-chat/account.js";

export function ShopHeader() {
  return (
    <header class="shop-header">
      <Link href="/" class="brand" label="Updraft, home">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M19 2 29 12 13 24 9 8z" fill="var(--kite-red)" />
          <path d="M19 2 13 24 9 8z" fill="var(--kite-yellow)" />
          <path
            d="M13 24c-2 3-5 1-6 3s1 3-2 4"
            fill="none"
            stroke="currentColor"
            stroke-width="2"
            stroke-linecap="round"
          />
        </svg>
        Updraft
      </Link>
      <SearchForm />
      <nav aria-label="Shop">
        <Link href="/saved">
          Saved <Count value={saved.value.length} />
        </Link>
        <Link href="/bag">
          Bag <Count value={bagCount.value} />
        </Link>
        <Link href="/details">Details</Link>
      </nav>
      <Account />
    </header>
  );
}

const Count = ({ value }: { value: number }) => <span class="count">{value}</span>;
