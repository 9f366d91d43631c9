import { defineConfig } from "vite";

/** Node entries. Dependencies stay outside; the protocol, which is this repository's own, goes in. */
export default defineConfig({
  root: import.meta.dirname,
  build: {
    ssr: true,
    target: "node20",
    emptyOutDir: true,
    sourcemap: true,
    rollupOptions: {
      input: {
        index: "src/index.ts",
        main: "src/main.ts",
        keys: "src/keys.ts",
        dev: "src/dev/dev.ts",
        cli: "src/cli.ts",
      },
      // Flat, because the migrations are found one step above the file that applies them.
      output: { entryFileNames: "[name].js", chunkFileNames: "[name].js" },
    },
  },
});
