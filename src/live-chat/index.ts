export { createLiveChatSession } from "./create-live-chat-session.js";
export type { LiveChatSessionOptions, LiveChatSessionSource } from "./live-chat-session.js";
export type { Jwt } from "./jwt.js";
export type { LiveChatSession, LiveChatSource } from "../protocol/api.js";
