import { Inspector } from "./inspector/inspector.js";
import { ChatBox } from "./live-chat/chat-box.js";
import { Shop } from "./shop/shop.js";
import { view, ViewBar } from "./view-bar.js";

export function App() {
  return (
    <div class="app" data-view={view.value}>
      <a class="skip" href="#tracker">
        Skip to what the tracker knows
      </a>
      <main class="panes">
        <div class="storefront">
          <Shop />
          <ChatBox />
        </div>
        <Inspector />
      </main>
      <ViewBar />
    </div>
  );
}
