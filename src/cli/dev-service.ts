/** How other commands find the service of `dev`: it leaves its address and keys in its folder. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { headerValueSchema } from "../protocol/schemas/responses.js";

/** Where `dev` keeps everything, unless `--data-dir` names another folder. */
export const DEV_FOLDER = ".people-tracking";

const devServiceSchema = v.object({
  endpoint: v.string(),
  trackingKey: headerValueSchema,
  adminKey: headerValueSchema,
});
export type DevService = v.InferOutput<typeof devServiceSchema>;

export const devServicePath = (folder: string): string => join(folder, "service.json");

/**
 * @returns what the folder says of its service, which need not run at present; undefined if it says nothing
 * @throws an Error that says what to do if the file is damaged
 */
export async function readDevService(folder: string): Promise<DevService | undefined> {
  const path = devServicePath(folder);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return v.parse(devServiceSchema, JSON.parse(text));
  } catch (error) {
    throw new Error(`${path} is damaged: delete it, and dev makes new keys`, { cause: error });
  }
}
