/**
 * Fixed, and known to everyone who reads this: they open a demo on this machine and nothing else. A real service makes
 * its own with `npm run keys`.
 */
export const DEMO_ADMIN_KEY = "demo-admin-key-0e2f9b7a5c3d41868a94d0c17b6e2f35";

export const DEMO_WIDGET = {
  id: "updraft-demo",
  keyId: "demo-1",
  secret: "demo-widget-secret-of-at-least-32-bytes",
};
