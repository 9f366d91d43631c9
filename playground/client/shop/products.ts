import type { KiteArt } from "./kite-art.js";

export interface Product {
  sku: string;
  slug: string;
  name: string;
  tagline: string;
  /** The price in euros. */
  price: number;
  wind: string;
  about: string;
  details: readonly (readonly [label: string, value: string])[];
  art: KiteArt;
}

export const PRODUCTS: readonly Product[] = [
  {
    sku: "UD-ED-01",
    slug: "eddy",
    name: "Eddy",
    tagline: "The one you drew as a child",
    price: 39,
    wind: "2–4 Bft",
    about:
      "A bowed diamond that needs no tail in steady wind and forgives a crooked launch. It packs into its own sleeve and lives in the boot of the car.",
    details: [
      ["Span", "98 cm"],
      ["Sail", "Ripstop nylon, 42 g/m²"],
      ["Frame", "Fibreglass, 4 mm"],
      ["In the sleeve", "Kite, tail, 40 m line on a winder"],
    ],
    art: { shape: "diamond", colours: ["red", "yellow", "navy"], sky: "day" },
  },
  {
    sku: "UD-DS-02",
    slug: "skerry-delta",
    name: "Skerry Delta",
    tagline: "Up in a breath of wind",
    price: 64,
    wind: "1–4 Bft",
    about:
      "A wide delta for evenings when the flags hang. It climbs on what rises from warm sand, and stands almost overhead once it is there.",
    details: [
      ["Span", "210 cm"],
      ["Sail", "Ripstop polyester, 31 g/m²"],
      ["Frame", "Carbon, 5 mm"],
      ["In the sleeve", "Kite and two tails; line sold separately"],
    ],
    art: { shape: "delta", colours: ["teal", "white", "yellow"], sky: "dusk" },
  },
  {
    sku: "UD-RK-03",
    slug: "rokkaku",
    name: "Rokkaku 120",
    tagline: "Six corners, no nonsense",
    price: 89,
    wind: "2–5 Bft",
    about:
      "The Japanese fighting kite, slowed down for people who want to drink their coffee. Tension the two bows and it stands like a nail.",
    details: [
      ["Height", "120 cm"],
      ["Sail", "Ripstop nylon, 42 g/m²"],
      ["Frame", "Carbon spine, fibreglass bows"],
      ["In the sleeve", "Kite with a four-point bridle"],
    ],
    art: { shape: "rokkaku", colours: ["white", "red", "navy"], sky: "noon" },
  },
  {
    sku: "UD-HB-04",
    slug: "hargrave-box",
    name: "Hargrave Box",
    tagline: "1893, and still steady",
    price: 119,
    wind: "3–6 Bft",
    about:
      "Two cells, four spars, no tail. It lifted Lawrence Hargrave off a beach in New South Wales; ours lifts a small camera.",
    details: [
      ["Length", "110 cm"],
      ["Sail", "Ripstop nylon, 42 g/m²"],
      ["Frame", "Spruce, hand-planed"],
      ["In the sleeve", "Kite, spare spar"],
    ],
    art: { shape: "box", colours: ["yellow", "blue", "navy"], sky: "day" },
  },
  {
    sku: "UD-PS-05",
    slug: "pocket-sled",
    name: "Pocket Sled",
    tagline: "No frame, nothing to break",
    price: 24,
    wind: "2–4 Bft",
    about:
      "Folds to the size of a sandwich and weighs less than one. Shake it out, let go, done. The one to give to somebody who is four.",
    details: [
      ["Span", "70 cm"],
      ["Sail", "Ripstop polyester, 31 g/m²"],
      ["Frame", "None"],
      ["In the pouch", "Kite, 25 m line on a winder"],
    ],
    art: { shape: "sled", colours: ["blue", "yellow", "red"], sky: "noon" },
  },
  {
    sku: "UD-WN-06",
    slug: "beech-winder",
    name: "Beech winder, 100 m",
    tagline: "Line that does not bite",
    price: 32,
    wind: "40 kg",
    about:
      "A hoop winder turned from one piece of beech, with 100 m of braided line that is soft on the hands and holds 40 kg.",
    details: [
      ["Line", "Braided polyester, 100 m"],
      ["Breaking load", "40 kg"],
      ["Wood", "Oiled beech, 18 cm"],
      ["Knot", "Spliced loop at both ends"],
    ],
    art: { shape: "winder", colours: ["wood", "red", "navy"], sky: "dusk" },
  },
];

export const productBySlug = (slug: string) => PRODUCTS.find((product) => product.slug === slug);
export const productBySku = (sku: string) => PRODUCTS.find((product) => product.sku === sku);

export function searchProducts(query: string): Product[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return PRODUCTS.filter((product) => {
    const text = `${product.name} ${product.tagline} ${product.about} ${product.art.shape}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

const euros = new Intl.NumberFormat("en-IE", {
  style: "currency",
  currency: "EUR",
  maximumFractionDigits: 0,
});
export const formatPrice = (price: number) => euros.format(price);
