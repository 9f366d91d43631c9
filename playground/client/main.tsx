import { render } from "preact";

import { App } from "./app.js";
import { followDemoServer } from "./demo-feed.js";
import { followPerson } from "./person-reading.js";
import { startTracking } from "./tracker.js";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shop.css";
import "./styles/live-chat.css";
import "./styles/inspector.css";

void startTracking();
followDemoServer();
followPerson();
render(<App />, document.getElementById("app")!);
