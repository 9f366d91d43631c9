/** As much of package.json as the core reads. Bundlers take this one field of it along. */
declare module "#package.json" {
  export const version: string;
}
