import { defineConfig } from "vite";

/** `start.js`, for Node; the page itself is the root configuration's. Dependencies stay outside, the service among them. */
export default defineConfig({
  root: import.meta.dirname,
  ssr: { external: ["people-service"] },
  build: {
    ssr: "start.ts",
    outDir: "dist",
    // The built page lies in there too.
    emptyOutDir: false,
    target: "node20",
  },
});
