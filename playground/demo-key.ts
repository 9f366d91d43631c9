/**
 * The demo's tracking key. It is fixed, so that a page works again after a restart of the server. A tracking key is part of every
 * page of a site and therefore no secret: its only scope allows it to register and to send.
 */
export const DEMO_TRACKING_KEY = "demo-tracking-key-725f7c41d09e4b6c9a3155b9";
