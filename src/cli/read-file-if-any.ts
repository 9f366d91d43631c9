import { readFile } from "node:fs/promises";

/** @returns the content, or undefined if there is no such file */
export const readFileIfAny = async (path: string): Promise<Buffer | undefined> => {
  try {
    return await readFile(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
};
