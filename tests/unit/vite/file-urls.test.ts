import { describe, expect, test } from "vitest";
import { fileUrls } from "../../../src/vite/file-urls.js";

const VITE = { base: "/", findsWorkers: true };

describe("the files that the plugin puts into a site", () => {
  test("are the service worker alone where the bundler finds workers", () => {
    expect(fileUrls({}, VITE)).toEqual({
      files: [{ name: "service-worker.js", url: "/service-worker.js" }],
      defaults: { serviceWorkerUrl: "/service-worker.js" },
    });
  });

  test("are the worker too where the bundler finds none", () => {
    expect(fileUrls({}, { base: "/", findsWorkers: false })).toEqual({
      files: [
        { name: "worker.js", url: "/worker.js" },
        { name: "service-worker.js", url: "/service-worker.js" },
      ],
      defaults: { workerUrl: "/worker.js", serviceWorkerUrl: "/service-worker.js" },
    });
  });

  test("stand below the base path", () => {
    expect(fileUrls({}, { ...VITE, base: "/shop/" }).defaults).toEqual({
      serviceWorkerUrl: "/shop/service-worker.js",
    });
  });

  test("are what the site's own service worker imports, whose URL becomes the default", () => {
    expect(fileUrls({ serviceWorker: "/sw.js" }, VITE)).toEqual({
      files: [{ name: "background-sync.js", url: "/background-sync.js" }],
      defaults: { serviceWorkerUrl: "/sw.js" },
    });
  });

  test("are none without a service worker", () => {
    expect(fileUrls({ serviceWorker: false }, VITE)).toEqual({ files: [], defaults: {} });
  });

  test.each(["https://cdn.example/", "//cdn.example/"])(
    "are none at %s, where pages cannot register a service worker, and the developer is told",
    (base) => {
      expect(fileUrls({}, { ...VITE, base })).toEqual({
        files: [],
        defaults: {},
        problem: expect.stringContaining(`"base" is ${base}`),
      });
    },
  );
});
