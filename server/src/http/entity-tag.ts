/** Whether `If-None-Match` contains the tag, by weak comparison as RFC 9110 requires for GET. */
export const isCurrent = (ifNoneMatch: string | undefined, tag: string): boolean =>
  (ifNoneMatch ?? "")
    .split(",")
    .map((candidate) => candidate.trim().replace(/^W\//, ""))
    .some((candidate) => candidate === tag || candidate === "*");
