import type { ComponentChildren } from "preact";

type Colour = "red" | "yellow" | "blue" | "teal" | "navy" | "white" | "wood";
export interface KiteArt {
  shape: "diamond" | "delta" | "rokkaku" | "box" | "sled" | "winder";
  /** The colours of the sail, of its second panel, and of the trim. */
  colours: readonly [Colour, Colour, Colour];
  sky: "day" | "noon" | "dusk";
}

/** A product's picture, drawn here so that the shop needs no image files. The product's name is beside it. */
export function KitePicture({ art }: { art: KiteArt }) {
  const [sail, panel, trim] = art.colours.map((colour) => `var(--kite-${colour})`) as [
    string,
    string,
    string,
  ];
  return (
    <svg
      class={`picture sky-${art.sky}`}
      viewBox="0 0 240 200"
      aria-hidden="true"
      preserveAspectRatio="xMidYMid slice"
    >
      <Clouds />
      {SHAPES[art.shape](sail, panel, trim)}
    </svg>
  );
}

const Clouds = () => (
  <g class="clouds">
    <path d="M-20 168c18-16 40-14 50-4 14-14 40-12 48 4 12-4 22 0 26 10v30h-124z" />
    <path d="M150 186c10-12 28-12 36-2 12-12 36-8 40 6 14-4 24 2 30 12v10h-110z" />
  </g>
);

const Flying = ({ tilt, children }: { tilt: number; children: ComponentChildren }) => (
  <g transform={`translate(120 88) rotate(${tilt})`}>{children}</g>
);

const Line = ({ d }: { d: string }) => <path class="line" d={d} />;
const Tail = ({ d, colour }: { d: string; colour: string }) => (
  <path d={d} fill="none" stroke={colour} stroke-width="4" stroke-linecap="round" stroke-linejoin="round" />
);

type Draw = (sail: string, panel: string, trim: string) => ComponentChildren;
const SHAPES: Record<KiteArt["shape"], Draw> = {
  diamond: (sail, panel, trim) => (
    <>
      <Line d="M116 92C100 140 60 168 -6 206" />
      <Flying tilt={24}>
        <Tail d="M0 74c14 8-12 16 2 26s-10 16 4 26" colour={trim} />
        <path d="M0-68 50-14 0 74-50-14z" fill={sail} />
        <path d="M0-68-50-14 0 74z" fill={panel} />
        <path d="M-50-14H0V74z" fill={trim} opacity="0.92" />
        <path class="spar" d="M0-68V74M-50-14H50" />
      </Flying>
    </>
  ),
  delta: (sail, panel, trim) => (
    <>
      <Line d="M122 96C110 140 80 170 20 206" />
      <Flying tilt={-10}>
        <Tail d="M-34 28c-8 14 6 22-4 36s4 18-4 30M34 28c8 14-6 22 4 36s-4 18 4 30" colour={trim} />
        <path d="M0-58 102 34 34 28 0 40-34 28-102 34z" fill={sail} />
        <path d="M0-58 34 28 0 40-34 28z" fill={panel} />
        <path d="M0-20 13 22 0 40-13 22z" fill={trim} />
        <path class="spar" d="M0-58V40M-52-10H52" />
      </Flying>
    </>
  ),
  rokkaku: (sail, panel, trim) => (
    <>
      <Line d="M120 90C112 140 90 172 50 206" />
      <Flying tilt={12}>
        <path d="M0-78 56-44V34L0 72-56 34V-44z" fill={sail} />
        <circle cx="0" cy="-3" r="34" fill={panel} />
        <path d="M56 16V34L0 72-56 34V16L0 54z" fill={trim} />
        <path class="spar" d="M0-78V72M-56-44H56M-56 34H56" />
      </Flying>
    </>
  ),
  box: (sail, panel, trim) => (
    <>
      <Line d="M104 118C90 150 60 178 -6 200" />
      <Flying tilt={28}>
        <path d="M-34-74 6-84 40-70 0-58zM-34 28 6 18 40 32 0 44z" fill={trim} opacity="0.55" />
        <path class="strut" d="M-34-80V72M6-90V62M40-76V74M0-64V88" />
        <path d="M-34-74 0-58V-18L-34-34zM-34 28 0 44V84L-34 68z" fill={panel} />
        <path d="M0-58 40-70V-30L0-18zM0 44 40 32V72L0 84z" fill={sail} />
      </Flying>
    </>
  ),
  sled: (sail, panel, trim) => (
    <>
      <Line d="M96 132C110 160 120 176 112 206M150 128C140 160 130 176 112 206" />
      <Flying tilt={6}>
        <Tail d="M-18 66c-6 12 6 18-2 30M18 66c6 12-6 18 2 30" colour={trim} />
        <path d="M-30-62H30L64 0 30 66H-30L-64 0z" fill={sail} />
        <path d="M-30-62H-10V66H-30zM10-62H30V66H10z" fill={panel} />
        <path d="M0 14 10 34 0 54-10 34z" fill={trim} />
      </Flying>
    </>
  ),
  winder: (sail, panel, trim) => (
    <>
      <Line d="M164 70C200 60 220 30 250 10" />
      <g transform="translate(120 104)">
        <circle r="60" fill="none" stroke={sail} stroke-width="22" />
        <circle r="60" fill="none" stroke={panel} stroke-width="13" stroke-dasharray="3 1.6" />
        <circle r="71" fill="none" stroke={sail} stroke-width="3" />
        <circle r="48" fill="none" stroke={trim} stroke-width="1.5" opacity="0.35" />
      </g>
    </>
  ),
};
