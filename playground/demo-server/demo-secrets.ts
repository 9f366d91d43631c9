/**
 * The demo's secrets. They are fixed and public, and give access only to a demo on this machine. A real service creates its own
 * with `npm run keys`.
 */
export const DEMO_ADMIN_KEY = "demo-admin-key-0e2f9b7a5c3d41868a94d0c17b6e2f35";

export const DEMO_WIDGET = {
  id: "updraft-demo",
  keyId: "demo-1",
  secret: "demo-widget-secret-of-at-least-32-bytes",
};
