/**
 * A property of the document, as text. An element can shadow it: `<form name="title">`, and an `img`,
 * `iframe`, `embed` or `object` of such a name, replaces the property on the document itself
 * (https://html.spec.whatwg.org/#dom-document-nameditem), and only the prototype's getter still has the value.
 *
 * @returns empty for what this browser does not know
 */
export const documentText = (
  name: "URL" | "title" | "referrer" | "baseURI" | "visibilityState" | "prerendering",
): string => {
  let value: unknown = (document as unknown as Record<string, unknown>)[name];
  if (Object(value) === value) value = Reflect.get(Object.getPrototypeOf(document) as object, name, document);
  const known = (value ?? "") as string | boolean;
  return String(known);
};
