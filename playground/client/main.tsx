import { render } from "preact";

import { App } from "./app.js";
import { installLiveChat } from "./live-chat/live-chat-source.js";
import { followDemoServer } from "./demo-feed.js";
import { followPerson } from "./person-reading.js";
import { startTracking } from "./tracker.js";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shop.css";
import "./styles/live-chat.css";
import "./styles/inspector.css";

// Live Chat comes first, because the tracker reads `globalThis.LiveChat` when it starts.
installLiveChat();
void startTracking();
followDemoServer();
followPerson();
render(<App />, document.getElementById("app")!);
