import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runCommand } from "./run-command.js";

describe("the command people-tracking-sdk", () => {
  test("prints what it can do, by itself and with --help", async () => {
    const { code, output, errors } = await runCommand([]);
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
    for (const name of ["dev", "copy", "typegen", "definitions push", "definitions pull"])
      expect(output).toContain(`\n  ${name}`);
    expect((await runCommand(["--help"])).output).toBe(output);
    expect((await runCommand(["definitions", "--help"])).output).toBe(output);
  });

  test.each(["dev", "copy", "typegen", "definitions push", "definitions pull"])(
    "explains %s with --help, whatever else is given",
    async (name) => {
      const { code, output } = await runCommand([...name.split(" "), "--unknown", "--help"]);
      expect(code).toBe(0);
      expect(output.startsWith(`people-tracking-sdk ${name}`)).toBe(true);
    },
  );

  test("prints its version", async () => {
    const file = new URL("../../../package.json", import.meta.url);
    const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
    expect(await runCommand(["--version"])).toEqual({ code: 0, output: version, errors: [] });
  });

  test.each([
    ["bogus", 'there is no command "bogus"'],
    ["constructor", 'there is no command "constructor"'],
    ["definitions", 'there is no command "definitions"'],
    ["definitions delete", 'there is no command "definitions delete"'],
    ["dev --port", "Option '--port <value>' argument missing"],
    ["dev --port 4180x", '--port must be a whole number from 0 to 65535, not "4180x"'],
    ["dev --port 65536", '--port must be a whole number from 0 to 65535, not "65536"'],
    ["dev --prt 1", "Unknown option '--prt'"],
    ["dev folder", 'unexpected argument "folder"'],
    [
      "dev --origin localhost:5173",
      '--origin must be an origin such as http://192.168.1.5:5173, not "localhost:5173"',
    ],
    [
      "dev --origin http://a.example/",
      '--origin must be an origin such as http://192.168.1.5:5173, not "http://a.example/"',
    ],
    ["dev --data-dir=", "--data-dir is empty"],
    ["copy", "<folder> is missing"],
    ["copy a b", 'unexpected argument "b"'],
    ["typegen", "--out is missing"],
    ["typegen --out f", "--endpoint is missing"],
    ["typegen --out f --endpoint shop.example/people --key k", "--endpoint must be a URL"],
    [
      "typegen --out f --endpoint http://shop.example/people",
      "--key is missing, and PEOPLE_TRACKING_KEY is not set",
    ],
    [
      "typegen --out f --endpoint http://shop.example/people --key ключ",
      "--key has a character that no key has",
    ],
    ["typegen --key -k", "use '--key=-XYZ'"],
    ["definitions push --key k", "<file.json> is missing"],
    ["definitions pull f", "--endpoint is missing"],
    ["definitions push f --endpoint http://shop.example/people", "PEOPLE_TRACKING_ADMIN_KEY is not set"],
  ])("answers the wrong arguments of “%s” with one line and code 2", async (args, problem) => {
    const { code, output, errors } = await runCommand(args.split(" "));
    expect({ code, output }).toEqual({ code: 2, output: "" });
    expect(errors).toEqual([expect.stringContaining(problem)]);
    expect(errors[0]).not.toContain("\n");
  });
});
