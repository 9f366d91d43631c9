/** The band on top of the home page: three kites on three lines. */
export function Hero() {
  return (
    <section class="hero">
      <div class="hero-text">
        <h1>
          Kites for the wind <br />
          you have today.
        </h1>
        <p>Five kites and a good line, sewn in small numbers.</p>
      </div>
      <svg class="hero-sky" viewBox="110 12 310 200" aria-hidden="true" preserveAspectRatio="xMaxYMid meet">
        <path
          class="line"
          d="M318 84C290 150 210 210 120 250M208 128C190 170 160 210 120 250M372 152C320 190 220 230 120 250"
        />
        <g class="float float-1" transform="translate(320 74) rotate(24)">
          <path d="M0-54 40-12 0 60-40-12z" fill="var(--kite-red)" />
          <path d="M0-54-40-12 0 60z" fill="var(--kite-yellow)" />
          <path d="M-40-12H0V60z" fill="var(--kite-navy)" />
          <path
            d="M0 60c12 8-10 14 2 22s-8 14 4 22"
            fill="none"
            stroke="var(--kite-navy)"
            stroke-width="4"
            stroke-linecap="round"
          />
        </g>
        <g class="float float-2" transform="translate(210 120) rotate(-12)">
          <path d="M0-26 50 16 16 13 0 19-16 13-50 16z" fill="var(--kite-white)" />
          <path d="M0-26 16 13 0 19-16 13z" fill="var(--kite-teal)" />
        </g>
        <g class="float float-3" transform="translate(374 148) rotate(14)">
          <path d="M0-28 20-16V12L0 26-20 12V-16z" fill="var(--kite-white)" />
          <circle cy="-2" r="12" fill="var(--kite-red)" />
        </g>
      </svg>
    </section>
  );
}
