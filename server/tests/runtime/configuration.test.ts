import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { createPeopleService } from "../../src/index.js";
import { packageFolder } from "../../src/package-folder.js";
import { readConfiguration } from "../../src/runtime/configuration.js";

const WRONG: [variable: string, value: string, message: RegExp][] = [
  ["PORT", "http", /PORT must be a whole number from 0 to 65535, not “http”/],
  ["PORT", "65536", /PORT must be a whole number/],
  ["PORT", "8080.5", /PORT must be a whole number/],
  ["PORT", "0x50", /PORT must be a whole number/],
  ["REQUEST_TIMEOUT_MS", "0", /REQUEST_TIMEOUT_MS must be a whole number from 1/],
  ["SHUTDOWN_GRACE_MS", "-1", /SHUTDOWN_GRACE_MS must be a whole number/],
  ["DATABASE_CONNECTIONS", "0", /DATABASE_CONNECTIONS must be a whole number from 1/],
  ["DATABASE_TIMEOUT_MS", "10s", /DATABASE_TIMEOUT_MS must be a whole number/],
  ["DATABASE_URL", "mysql://people@db/people", /DATABASE_URL must be a URL such as postgres:/],
  ["CORS_ORIGINS", "https://shop.example/", /CORS_ORIGINS .*write https:\/\/shop\.example$/],
  [
    "CORS_ORIGINS",
    "https://a.example,https://SHOP.example/cart?x",
    /“https:\/\/SHOP.*write https:\/\/shop\.example$/,
  ],
  ["CORS_ORIGINS", "https://shop.example:443", /write https:\/\/shop\.example$/],
  ["CORS_ORIGINS", "shop.example", /“shop\.example” is not an origin: write a scheme/],
  ["CORS_ORIGINS", "null", /“null” is not an origin/],
  ["WIDGETS", "shop", /WIDGETS must be JSON/],
  [
    "WIDGETS",
    JSON.stringify([{ id: "shop", keys: [{ id: "key-1", secret: "x".repeat(31) }] }]),
    /WIDGETS .*the key key-1 of the widget shop has 31 bytes; it needs at least 32/,
  ],
  [
    "WIDGETS",
    JSON.stringify([{ id: "shop", keys: [{ id: "key-1", secret: "x".repeat(32) }], maxJwtLifetimeMs: -1 }]),
    /WIDGETS .*maxJwtLifetimeMs of the widget shop must be a number/,
  ],
  ["WIDGETS", '[{"id": "shop", "keys": []}]', /WIDGETS .*the widget shop needs at least one key/],
  ["LOG_LEVEL", "verbose", /LOG_LEVEL must be one of trace, debug, .*not “verbose”/],
];

const messageOf = (environment: NodeJS.ProcessEnv): string => {
  try {
    readConfiguration(environment);
  } catch (error) {
    return (error as Error).message.replace(/\.$/, "");
  }
  return "";
};

describe("the environment", () => {
  test.each(WRONG)("%s=%s is refused with what it must be", (variable, value, message) => {
    expect(messageOf({ [variable]: value })).toMatch(message);
  });

  test("all wrong variables are named in one error, without their secrets", () => {
    const message = messageOf({ PORT: "x", WIDGETS: "secret-1", DATABASE_URL: "postgres://u:secret-2@[" });
    expect(message).toMatch(/PORT must.*DATABASE_URL must.*WIDGETS must/);
    expect(message).not.toMatch(/secret-/);
  });

  test("unset and empty variables have their defaults", () => {
    expect(readConfiguration({ PORT: "", LOG_LEVEL: "" })).toEqual(readConfiguration({}));
    expect(readConfiguration({})).toMatchObject({ host: "127.0.0.1", port: 8080, logLevel: "info" });
  });

  test("origins of web pages, apps and extensions are accepted, and any with a star", () => {
    const origins = ["https://shop.example", "http://localhost:5173", "capacitor://localhost", "*"];
    expect(readConfiguration({ CORS_ORIGINS: origins.join(" , ") }).corsOrigins).toEqual(origins);
  });

  test("the data folder lies beside the package by itself, and where DATA_DIR says else", () => {
    const beside = join(packageFolder, "data");
    expect(readConfiguration({}).database).toEqual({ dataDir: beside });
    expect(readConfiguration({ DATA_DIR: "elsewhere" }).database).toEqual({ dataDir: resolve("elsewhere") });
  });
});

describe("a service in one's own process", () => {
  test("a service in one's own process refuses the same origins", async () => {
    await expect(createPeopleService({ corsOrigins: ["https://shop.example/"] })).rejects.toThrow(
      /is not an origin: write https:\/\/shop\.example$/,
    );
  });
});
